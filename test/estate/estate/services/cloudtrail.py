"""CloudTrail: a trail of one region, unencrypted and switched off, against one of all regions that is watched."""

import time

from estate.account import HOME, Account
from estate.policies import deny_plain_http, document
from estate.services import iam, kms, logs, s3, sns


def neglected(account: Account) -> None:
    bucket = s3.bucket(account, "trail")
    _let_write(account, bucket)
    # A trail nobody switched on again after an outage.
    account.client("cloudtrail").create_trail(Name="main", S3BucketName=bucket, IsMultiRegionTrail=False, EnableLogFileValidation=False)


def well_kept(account: Account) -> None:
    bucket = s3.bucket(account, "trail", ObjectLockEnabledForBucket=True)
    s3.harden(account, bucket)
    trail = account.arn("cloudtrail", "trail/organisation", HOME)
    _let_write(account, bucket, {"Condition": {"StringEquals": {"aws:SourceArn": trail}}})
    cloudtrail = account.client("cloudtrail")
    cloudtrail.create_trail(
        Name="organisation",
        S3BucketName=bucket,
        SnsTopicName=sns.security_topic(account).rpartition(":")[2],
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        KmsKeyId=kms.key(account, HOME),
        CloudWatchLogsLogGroupArn=logs.group(account, HOME, logs.TRAIL) + ":*",
        CloudWatchLogsRoleArn=iam.service_role(account, "trail-to-logs", "cloudtrail.amazonaws.com"),
    )
    objects = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    cloudtrail.put_event_selectors(
        TrailName="organisation",
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [objects]}],
    )
    cloudtrail.start_logging(Name="organisation")
    _delivers(account)


def bulk(account: Account, region: str, number: int) -> None:
    bucket = account.name_of("trail")  # which neglected makes
    account.client("cloudtrail", region).create_trail(Name=f"bulk-{number}", S3BucketName=bucket, IsMultiRegionTrail=False)


def _delivers(account: Account) -> None:
    """Has the account's only trail look as after some days: moto delivers nothing, and knows of no Insights."""
    trail = account.client("cloudtrail").describe_trails()["trailList"][0] | {"HasInsightSelectors": True}
    account.answer("cloudtrail", "DescribeTrails", {"trailList": [trail]})
    now = int(time.time())
    account.answer(
        "cloudtrail",
        "GetTrailStatus",
        {"IsLogging": True, "StartLoggingTime": now, "LatestDeliveryTime": now, "LatestCloudWatchLogsDeliveryTime": now},
    )


def _let_write(account: Account, bucket: str, condition: dict | None = None) -> None:
    """Lets CloudTrail write to a bucket."""
    writer = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, **(condition or {})}
    objects = f"arn:aws:s3:::{bucket}/*"
    account.client("s3").put_bucket_policy(
        Bucket=bucket,
        Policy=document(
            writer | {"Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
            writer | {"Action": "s3:PutObject", "Resource": objects},
            deny_plain_http("s3:*", [f"arn:aws:s3:::{bucket}", objects]),
        ),
    )
