"""What moto does not implement is refused in the caller's protocol, or answered as a test laid down."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def lay_down(emulator):
    """Lays answers down, and takes them back in the end."""
    laid = []

    def lay(**answer) -> None:
        laid.append(answer)
        emulator.control("POST", "answers", answer)

    yield lay
    for answer in laid:
        emulator.control("DELETE", "answers", answer)


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("accessanalyzer", "list_analyzers", {}),  # no such service in moto
        ("waf-regional", "list_web_acls", {}),
        ("dlm", "get_lifecycle_policies", {}),
        ("account", "get_contact_information", {}),  # the service is there, the operation is not
        ("securityhub", "get_enabled_standards", {}),
        ("ec2", "get_snapshot_block_public_access_state", {}),
        ("ec2", "get_image_block_public_access_state", {}),
        ("iam", "list_organizations_features", {}),
        ("service-quotas", "list_services", {}),
    ],
)
def test_refused_in_the_right_format(emulator, account, service, operation, parameters):
    with pytest.raises(ClientError) as refused:
        getattr(emulator.client(service, account), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == "UnsupportedOperation"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert service in refused.value.response["Error"]["Message"]


def test_proper_errors_pass(emulator, account):
    s3 = emulator.client("s3", account)
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_bucket_policy(Bucket="there-is-none")
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket="there-is-none")
    with pytest.raises(ClientError, match="not subscribed"):
        emulator.client("securityhub", account).describe_hub()


def test_answers(emulator, account, other_account, lay_down):
    listing = {"service": "accessanalyzer", "operation": "ListAnalyzers"}

    def names(of: str, region: str) -> list[str]:
        analyzers = emulator.client("accessanalyzer", of, region=region).list_analyzers()["analyzers"]
        return [each["name"] for each in analyzers]

    lay_down(**listing, body={"analyzers": []})
    lay_down(**listing, body={"analyzers": [{"name": "organisation"}]}, account=account)
    lay_down(**listing, body={"analyzers": [{"name": "special"}]}, account=account, region="eu-west-1")
    assert names(other_account, "eu-west-1") == []
    assert names(account, "us-east-1") == ["organisation"]
    assert names(account, "eu-west-1") == ["special"]
    emulator.control("DELETE", "answers", listing | {"account": account, "region": "eu-west-1"})
    assert names(account, "eu-west-1") == ["organisation"]


def test_answer_in_xml(emulator, account, lay_down):
    body = "<GetSnapshotBlockPublicAccessStateResponse><state>block-all-sharing</state></GetSnapshotBlockPublicAccessStateResponse>"
    lay_down(service="ec2", operation="GetSnapshotBlockPublicAccessState", body=body)
    assert emulator.client("ec2", account).get_snapshot_block_public_access_state()["State"] == "block-all-sharing"


def test_answer_that_is_an_error(emulator, account, lay_down):
    lay_down(service="securityhub", operation="DescribeHub", status=404, code="ResourceNotFoundException", body="no hub", account=account)
    hub = emulator.client("securityhub", account)
    with pytest.raises(hub.exceptions.ResourceNotFoundException, match="no hub"):
        hub.describe_hub()


def test_users_can_be_made_older(emulator, account):
    from datetime import datetime, timedelta, timezone

    iam = emulator.client("iam", account)
    iam.create_user(UserName="old")
    iam.create_access_key(UserName="old")
    emulator.control("POST", "age/old", {"account": account, "days": 400})
    created = iam.list_access_keys(UserName="old")["AccessKeyMetadata"][0]["CreateDate"]
    assert timedelta(days=399) < datetime.now(timezone.utc) - created < timedelta(days=401)
