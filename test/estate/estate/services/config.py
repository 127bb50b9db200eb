"""Config: a recorder that was stopped, against one that records everything in every region."""

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    # Set up once for a few types and never started.
    _recorder(account, HOME, account.arn("iam", "role/config"), {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]})


def well_kept(account: Account) -> None:
    bucket = account.name_of("trail")  # which cloudtrail makes
    role = account.arn("iam", "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")
    for region in account.regions():
        config = _recorder(account, region, role, {"allSupported": True, "includeGlobalResourceTypes": region == HOME})
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
        config.start_configuration_recorder(ConfigurationRecorderName="default")


def _recorder(account: Account, region: str, role: str, group: dict):
    config = account.client("config", region)
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group})
    return config
