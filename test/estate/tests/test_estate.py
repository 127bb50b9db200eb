"""The sample accounts come out as promised, and the same each time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from estate import accounts, services
from estate.account import REGIONS, Account
from estate.services import s3
from strict_moto.launch import running

ESTATE = Path(__file__).parent.parent


def estate(*arguments: str) -> list[str]:
    """Runs python -m estate and returns its lines."""
    command = [sys.executable, "-m", "estate", *arguments]
    return subprocess.run(command, cwd=ESTATE, env=os.environ, capture_output=True, text=True, check=True).stdout.splitlines()


class Seeded:
    def __init__(self, url: str, printed: list[str]) -> None:
        self.url = url
        self.accounts = {line["name"]: line for line in map(json.loads, printed)}

    def account(self, name: str) -> Account:
        return Account(name, self.accounts[name]["account_id"], self.url)

    def auditor(self, name: str):
        """A session inside an account, got the way the product gets it."""
        platform, target = self.accounts["platform"], self.accounts[name]
        sts = self._client("sts", platform["access_key_id"], platform["secret_access_key"])
        assumed = sts.assume_role(RoleArn=target["role_arn"], RoleSessionName="audit", ExternalId=target["external_id"])["Credentials"]
        return lambda service: self._client(service, assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])

    def _client(self, service: str, key: str, secret: str, token: str | None = None):
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )


@pytest.fixture(scope="module")
def seeded():
    with running() as url:
        yield Seeded(url, estate("seed", "--endpoint", url))


def inventory(account: Account) -> dict[str, list[str]]:
    """Names by kind and region."""
    found = {
        "buckets": names(account.client("s3").list_buckets()["Buckets"], "Name"),
        "users": names(account.client("iam").list_users()["Users"], "UserName"),
        "roles": names(account.client("iam").list_roles()["Roles"], "RoleName"),
        "functions": names(account.client("lambda").list_functions()["Functions"], "FunctionName"),
    }
    for region in REGIONS:
        groups = account.client("ec2", region).describe_security_groups()["SecurityGroups"]
        aliases = account.client("kms", region).list_aliases()["Aliases"]
        found |= {
            f"groups {region}": names(groups, "GroupName"),
            f"keys {region}": [name for name in names(aliases, "AliasName") if not name.startswith("alias/aws/")],
            f"tables {region}": account.client("dynamodb", region).list_tables()["TableNames"],
            f"queues {region}": sorted(url.split("/")[-1] for url in account.client("sqs", region).list_queues().get("QueueUrls", [])),
            f"topics {region}": names(account.client("sns", region).list_topics()["Topics"], "TopicArn"),
            f"databases {region}": names(account.client("rds", region).describe_db_instances()["DBInstances"], "DBInstanceIdentifier"),
            f"trails {region}": names(account.client("cloudtrail", region).list_trails()["Trails"], "Name"),
        }
    return found


def names(items: list[dict], key: str) -> list[str]:
    return sorted(item[key] for item in items)


def test_what_is_printed(seeded):
    assert list(seeded.accounts) == ["neglected", "well-kept", "restricted", "platform"]
    for name, account_id in accounts.ACCOUNT_IDS.items():
        assert seeded.accounts[name] == {
            "name": name,
            "account_id": account_id,
            "role_arn": f"arn:aws:iam::{account_id}:role/CloudArqAuditRole",
            "external_id": f"external-id-of-{name}",
            "regions": ["eu-west-1", "us-east-1", "eu-central-1"],
        }


COMMON = {"functions": 1, "tables": 1, "topics": 1, "trails": 1}
NEGLECTED = COMMON | {"buckets": 5, "users": 3, "roles": 4, "groups": 3, "keys": 2, "queues": 1}
WELL_KEPT = COMMON | {"buckets": 3, "users": 1, "roles": 6, "groups": 2, "keys": 1, "queues": 2}


@pytest.mark.parametrize(("name", "expected"), [("neglected", NEGLECTED), ("restricted", NEGLECTED), ("well-kept", WELL_KEPT)])
def test_counts(seeded, name, expected):
    found = inventory(seeded.account(name))
    for kind, count in expected.items():
        listed = found[kind] if kind in found else found[f"{kind} eu-west-1"]
        assert len(listed) == count, listed


def test_mistakes_are_there(seeded):
    neglected, well_kept = seeded.account("neglected"), seeded.account("well-kept")
    policy = json.loads(neglected.client("s3").get_bucket_policy(Bucket="neglected-website-111111111111")["Policy"])
    assert policy["Statement"][0]["Principal"] == "*"
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlock"):
        neglected.client("s3").get_public_access_block(Bucket="neglected-website-111111111111")
    assert well_kept.client("s3").get_public_access_block(Bucket="well-kept-documents-222222222222")
    rotates = {
        account.name: [
            account.client("kms").get_key_rotation_status(KeyId=alias["TargetKeyId"])["KeyRotationEnabled"]
            for alias in account.client("kms").list_aliases()["Aliases"]
            if not alias["AliasName"].startswith("alias/aws/")
        ]
        for account in (neglected, well_kept)
    }
    assert rotates == {"neglected": [False, False], "well-kept": [True]}
    keys = neglected.client("iam").list_access_keys(UserName="deploy")["AccessKeyMetadata"]
    assert len(keys) == 2 and all(key["CreateDate"].year < 2026 for key in keys)


def test_same_names_each_time(seeded):
    with running() as url:
        again = Seeded(url, estate("seed", "--endpoint", url))
        for name in accounts.ACCOUNT_IDS:
            assert inventory(again.account(name)) == inventory(seeded.account(name))


def test_auditor_reads_and_does_not_write(seeded):
    session = seeded.auditor("well-kept")
    assert len(session("s3").list_buckets()["Buckets"]) == 3
    with pytest.raises(ClientError, match="AccessDenied"):
        session("s3").delete_bucket(Bucket="well-kept-documents-222222222222")
    with pytest.raises(ClientError, match="AccessDenied"):
        session("s3").get_object(Bucket="well-kept-documents-222222222222", Key="any")


def test_restricted_account_withholds(seeded):
    session = seeded.auditor("restricted")
    session("sqs").list_queues()
    session("s3").list_buckets()
    for service, operation, parameters in [
        ("kms", "list_keys", {}),
        ("rds", "describe_db_instances", {}),
        ("cloudtrail", "describe_trails", {}),
        ("s3", "get_bucket_policy", {"Bucket": "restricted-website-333333333333"}),
        ("s3", "get_bucket_policy_status", {"Bucket": "restricted-website-333333333333"}),
    ]:
        with pytest.raises(ClientError, match="not authorized to perform"):
            getattr(session(service), operation)(**parameters)


def test_policy_file(tmp_path):
    policy = tmp_path / "policy.json"
    statement = {"Sid": "Read", "Effect": "Allow", "Action": ["kms:ListKeys", "sqs:ListQueues"], "Resource": "*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with running() as url:
        seeded = Seeded(url, estate("seed", "--endpoint", url, "--policy", str(policy)))
        seeded.auditor("neglected")("kms").list_keys()
        with pytest.raises(ClientError, match="AccessDenied"):
            seeded.auditor("neglected")("s3").list_buckets()
        with pytest.raises(ClientError, match="AccessDenied"):
            seeded.auditor("restricted")("kms").list_keys()
        seeded.auditor("restricted")("sqs").list_queues()


@pytest.mark.parametrize(
    ("actions", "kept", "denied"),
    [
        (["kms:ListKeys", "s3:GetBucketPolicy", "s3:GetBucketAcl"], ["s3:GetBucketAcl"], []),
        ("ec2:Describe*", ["ec2:Describe*"], []),
        (["s3:GetBucket*"], ["s3:GetBucket*"], ["s3:GetBucketPolicy*"]),
        ("*", ["*"], ["kms:*", "rds:*", "cloudtrail:*", "s3:GetBucketPolicy*"]),
        ("kms:*", None, []),
    ],
    ids=str,
)
def test_withhold(actions, kept, denied):
    policy = {"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    expected = [{"Effect": "Allow", "Action": kept, "Resource": "*"}] if kept else []
    expected += [{"Effect": "Deny", "Action": denied, "Resource": "*"}] if denied else []
    assert accounts.withhold(policy)["Statement"] == expected


def test_change(seeded):
    s3 = seeded.account("neglected").client("s3")
    assert len(estate("change", "--endpoint", seeded.url)) == 2
    assert json.loads(s3.get_bucket_policy(Bucket="neglected-logs-111111111111")["Policy"])["Statement"][0]["Principal"] == "*"
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="neglected-website-111111111111")


def test_scale():
    from estate import bulk

    assert len([module for module in services.modules() if hasattr(module, "bulk")]) >= 24
    rounds = 17
    with running() as url:
        account = Account("neglected", "444444444444", url)
        s3.bucket(account, "trail")  # one of those that bulk's trails deliver to
        bulk.make(account, len(bulk.makers()) * rounds)
        assert len(account.client("s3").list_buckets()["Buckets"]) == 1 + rounds
        assert len(account.client("cloudfront").list_distributions()["DistributionList"]["Items"]) == rounds
        iam = account.client("iam")
        users = names(iam.list_users()["Users"], "UserName")
        roles = names(iam.list_roles()["Roles"], "RoleName")
        policies = names(iam.list_policies(Scope="Local")["Policies"], "PolicyName")
        assert len(users) + len(roles) + len(policies) == bulk.SHARES["iam"] * rounds + 1  # one role is the functions'
        for region in ("sa-east-1", "eu-north-1"):
            assert len(account.client("dynamodb", region).list_tables()["TableNames"]) == 1
            assert len(account.client("cloudtrail", region).describe_trails(includeShadowTrails=False)["trailList"]) == 1


def test_well_kept_is_monitored(seeded):
    account = seeded.account("well-kept")
    [trail] = account.client("cloudtrail").describe_trails()["trailList"]
    group = trail["CloudWatchLogsLogGroupArn"].split(":")[6]
    filters = account.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]
    counted = {each["metricTransformations"][0]["metricName"] for each in filters}
    assert len(counted) == 15
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert counted <= {alarm["MetricName"] for alarm in alarms}
    [topic] = {action for alarm in alarms for action in alarm["AlarmActions"]}
    assert account.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"


def test_security_services(seeded):
    """Enabled in all regions of the well-kept account and in none of the others."""
    for name in accounts.ACCOUNT_IDS:
        account = seeded.account(name)
        for region in account.regions():
            detectors = account.client("guardduty", region).list_detectors()["DetectorIds"]
            recorders = account.client("config", region).describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
            analyzers = account.client("accessanalyzer", region).list_analyzers()["analyzers"]
            found = bool(detectors), any(recorder["recording"] for recorder in recorders), bool(analyzers)
            assert found == (name == "well-kept",) * 3, (name, region)


def test_every_service_has_both_sides():
    for module in services.modules():
        assert callable(module.neglected) and callable(module.well_kept), module.__name__
