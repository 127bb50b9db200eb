"""Who may do what, and how a denial reads."""

import re

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import allow, credentials_of, deny, policy

NOBODY = "no identity-based policy allows"

# A call of every protocol, with the action and the code that AWS denies it with.
DENIALS = [
    ("sts", "get_access_key_info", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, "sts:GetAccessKeyInfo", "AccessDenied"),
    ("iam", "list_users", {}, "iam:ListUsers", "AccessDenied"),
    ("rds", "describe_db_instances", {}, "rds:DescribeDBInstances", "AccessDenied"),
    ("sns", "list_topics", {}, "sns:ListTopics", "AuthorizationError"),
    ("elb", "describe_load_balancers", {}, "elasticloadbalancing:DescribeLoadBalancers", "AccessDenied"),
    ("elbv2", "describe_load_balancers", {}, "elasticloadbalancing:DescribeLoadBalancers", "AccessDenied"),
    ("ec2", "describe_vpcs", {}, "ec2:DescribeVpcs", "UnauthorizedOperation"),
    ("kms", "list_keys", {}, "kms:ListKeys", "AccessDeniedException"),
    ("dynamodb", "list_tables", {}, "dynamodb:ListTables", "AccessDeniedException"),
    ("stepfunctions", "list_state_machines", {}, "states:ListStateMachines", "AccessDeniedException"),
    ("lambda", "list_functions", {}, "lambda:ListFunctions", "AccessDeniedException"),
    ("efs", "describe_file_systems", {}, "elasticfilesystem:DescribeFileSystems", "AccessDeniedException"),
    ("apigateway", "get_rest_apis", {}, "apigateway:GET", "AccessDeniedException"),
    ("apigatewayv2", "get_apis", {}, "apigateway:GET", "AccessDeniedException"),
    ("accessanalyzer", "list_analyzers", {}, "access-analyzer:ListAnalyzers", "AccessDeniedException"),
    ("route53", "list_hosted_zones", {}, "route53:ListHostedZones", "AccessDenied"),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", "AccessDenied"),
    ("s3", "get_bucket_encryption", {"Bucket": "bucket"}, "s3:GetEncryptionConfiguration", "AccessDenied"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "action", "code"), DENIALS, ids=lambda value: str(value))
def test_denial_in_each_protocol(emulator, account, service, operation, parameters, action, code):
    client = emulator.client(service, **emulator.user(account))
    error = denial(getattr(client, operation), **parameters)
    assert error["Code"] == code
    assert re.search(rf"is not authorized to perform: {action} on resource: \S+ because {NOBODY} the {action} action$", error["Message"])
    assert f"User: arn:aws:iam::{account}:user/" in error["Message"]


def test_policies_of_user_and_group_allow(emulator, account):
    iam = emulator.client("iam", account)
    user = emulator.user(account, allow("kms:List*"))
    emulator.client("kms", **user).list_keys()
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=policy(allow("sqs:ListQueues")))
    iam.add_user_to_group(GroupName="readers", UserName=iam.list_users()["Users"][0]["UserName"])
    emulator.client("sqs", **user).list_queues()


def test_explicit_deny_wins(emulator, account):
    kms = emulator.client("kms", **emulator.user(account, allow("*"), deny("kms:ListKeys")))
    kms.list_aliases()
    assert denial(kms.list_keys)["Message"].endswith("with an explicit deny in an identity-based policy")


def test_keys_must_exist_and_be_active(emulator, account):
    iam = emulator.client("iam", account)
    user = emulator.user(account, allow("*"))
    kms = emulator.client("kms", **user)
    kms.list_keys()
    name = iam.list_users()["Users"][0]["UserName"]
    iam.update_access_key(UserName=name, AccessKeyId=user["aws_access_key_id"], Status="Inactive")
    assert denial(kms.list_keys)["Code"] == "UnrecognizedClientException"
    iam.update_access_key(UserName=name, AccessKeyId=user["aws_access_key_id"], Status="Active")
    kms.list_keys()
    iam.delete_access_key(UserName=name, AccessKeyId=user["aws_access_key_id"])
    assert denial(kms.list_keys)["Code"] == "UnrecognizedClientException"
    assert denial(emulator.client("iam", **user).list_users)["Code"] == "InvalidClientTokenId"
    assert denial(emulator.client("ec2", **user).describe_vpcs)["Code"] == "AuthFailure"


def test_a_presigned_url_may_do_what_its_signer_may(emulator, account):
    s3, bucket = emulator.client("s3", account), f"bucket-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("open/k", "closed/k"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    keys = emulator.user(account, allow("s3:GetObject") | {"Resource": f"arn:aws:s3:::{bucket}/open/*"})
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    signer = boto3.client("s3", region_name="eu-west-1", endpoint_url=emulator.url, config=config, **keys)
    for key, status in (("open/k", 200), ("closed/k", 403)):
        url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        assert urllib3.request("GET", url).status == status, key


def test_everybody_may_ask_who_they_are(emulator, account):
    identity = emulator.client("sts", **emulator.user(account)).get_caller_identity()
    assert identity["Account"] == account


class TestAssumeRole:
    """A role of one account, asked for by a user of another."""

    ROLE = "auditor"

    @pytest.fixture
    def sts(self, emulator, other_account):
        return emulator.client("sts", **emulator.user(other_account, allow("sts:AssumeRole")))

    @pytest.fixture
    def role(self, emulator, account, other_account):
        trust = trusting(f"arn:aws:iam::{other_account}:root") | {"Condition": {"StringEquals": {"sts:ExternalId": "secret-1"}}}
        return make_role(emulator, account, self.ROLE, trust, allow("kms:List*", "sqs:*"))

    def test_right_external_id(self, emulator, account, sts, role):
        session = assume(sts, role, ExternalId="secret-1")
        identity = emulator.client("sts", **session).get_caller_identity()
        assert identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/{self.ROLE}/test"
        emulator.client("kms", **session).list_keys()
        message = denial(emulator.client("ec2", **session).describe_vpcs)["Message"]
        assert f"User: arn:aws:sts::{account}:assumed-role/{self.ROLE}/test is not authorized" in message

    @pytest.mark.parametrize("wrong", [{}, {"ExternalId": "secret-2"}, {"ExternalId": "secret-1 "}])
    def test_wrong_external_id(self, sts, role, wrong):
        error = denial(assume, sts, role, **wrong)
        assert error["Code"] == "AccessDenied"
        assert error["Message"].endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role}")

    def test_role_that_does_not_exist(self, sts, account):
        assert denial(assume, sts, f"arn:aws:iam::{account}:role/nobody")["Code"] == "AccessDenied"

    def test_caller_without_permission(self, emulator, other_account, role):
        sts = emulator.client("sts", **emulator.user(other_account, allow("kms:*")))
        assert NOBODY in denial(assume, sts, role, ExternalId="secret-1")["Message"]

    def test_caller_with_permission_for_another_role(self, emulator, other_account, role):
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role + "-other"}
        sts = emulator.client("sts", **emulator.user(other_account, statement))
        assert NOBODY in denial(assume, sts, role, ExternalId="secret-1")["Message"]

    def test_account_that_is_not_trusted(self, emulator, role):
        stranger = emulator.client("sts", **emulator.user("777777777777", allow("*")))
        assert denial(assume, stranger, role, ExternalId="secret-1")["Code"] == "AccessDenied"

    @pytest.mark.parametrize("name", ["x", "a b", "ü" * 4, "n" * 65])
    def test_session_name(self, sts, role, name):
        error = denial(sts.assume_role, RoleArn=role, RoleSessionName=name, ExternalId="secret-1")
        assert error["Code"] == "ValidationError"
        assert "roleSessionName" in error["Message"]

    def test_duration(self, emulator, account, sts, role):
        assert "MaxSessionDuration" in denial(assume, sts, role, ExternalId="secret-1", DurationSeconds=7200)["Message"]
        emulator.client("iam", account).update_role(RoleName=self.ROLE, MaxSessionDuration=7200)
        assume(sts, role, ExternalId="secret-1", DurationSeconds=7200)

    def test_session_policy_narrows(self, emulator, sts, role):
        session = assume(sts, role, ExternalId="secret-1", Policy=policy(allow("kms:ListKeys", "ec2:*")))
        kms = emulator.client("kms", **session)
        kms.list_keys()
        assert denial(kms.list_aliases)["Message"].endswith("because no session policy allows the kms:ListAliases action")
        # A session policy gives nothing that the role does not have.
        assert NOBODY in denial(emulator.client("ec2", **session).describe_vpcs)["Message"]

    def test_session_policy_denies(self, emulator, sts, role):
        session = assume(sts, role, ExternalId="secret-1", Policy=policy(allow("*"), deny("kms:ListKeys")))
        assert denial(emulator.client("kms", **session).list_keys)["Message"].endswith("with an explicit deny in a session policy")

    def test_session_policy_must_be_json(self, sts, role):
        assert denial(assume, sts, role, ExternalId="secret-1", Policy="{")["Code"] == "MalformedPolicyDocument"

    @pytest.mark.parametrize("token", [{}, {"aws_session_token": "stolen"}])
    def test_session_needs_its_token(self, emulator, sts, role, token):
        session = assume(sts, role, ExternalId="secret-1")
        del session["aws_session_token"]
        error = denial(emulator.client("kms", **session, **token).list_keys)
        assert error["Code"] == "UnrecognizedClientException"

    def test_role_chaining_is_limited_to_an_hour(self, emulator, account, sts, role):
        emulator.client("iam", account).put_role_policy(
            RoleName=self.ROLE, PolicyName="chain", PolicyDocument=policy(allow("sts:AssumeRole"))
        )
        second = make_role(emulator, account, "second", trusting(role), allow("kms:*"), MaxSessionDuration=43200)
        chained = emulator.client("sts", **assume(sts, role, ExternalId="secret-1"))
        assume(chained, second)
        assert "role chaining" in denial(assume, chained, second, DurationSeconds=3601)["Message"]

    def test_deleted_role_ends_its_sessions(self, emulator, account, sts, role):
        session = assume(sts, role, ExternalId="secret-1")
        iam = emulator.client("iam", account)
        iam.delete_role_policy(RoleName=self.ROLE, PolicyName="p")
        iam.delete_role(RoleName=self.ROLE)
        assert NOBODY in denial(emulator.client("kms", **session).list_keys)["Message"]


@pytest.mark.parametrize(
    ("principal", "trusted"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": "{caller}"}, True),
        ({"AWS": ["111111111111", "{account}"]}, True),
        ({"AWS": "arn:aws:iam::{account}:root"}, True),
        ({"AWS": "arn:aws:iam::{account}:user/somebody-else"}, False),
        ({"AWS": "arn:aws:iam::111111111111:root"}, False),
        ({"Service": "ec2.amazonaws.com"}, False),
    ],
    ids=str,
)
def test_principals_of_a_trust_policy(emulator, account, other_account, principal, trusted):
    user = emulator.user(other_account, allow("sts:AssumeRole"))
    sts = emulator.client("sts", **user)
    trust = policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    trust = trust.replace("{account}", other_account).replace("{caller}", sts.get_caller_identity()["Arn"])
    role = emulator.client("iam", account).create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if trusted:
        assume(sts, role)
    else:
        assert denial(assume, sts, role)["Code"] == "AccessDenied"


def test_deny_in_a_trust_policy(emulator, account, other_account):
    sts = emulator.client("sts", **emulator.user(other_account, allow("sts:AssumeRole")))
    iam = emulator.client("iam", account)
    own = f"arn:aws:iam::{other_account}:root"
    condition = {"StringNotLike": {"sts:ExternalId": "ours-*"}}
    document = policy(trusting(own), trusting(own) | {"Effect": "Deny", "Condition": condition})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assume(sts, role, ExternalId="ours-7")
    assert denial(assume, sts, role, ExternalId="theirs-7")["Code"] == "AccessDenied"
    assert denial(assume, sts, role)["Code"] == "AccessDenied"


def test_scp(emulator, account):
    user = emulator.user(account, allow("*"))
    emulator.control("POST", f"scp/{account}", {"Statement": deny("kms:*")})
    assert denial(emulator.client("kms", **user).list_keys)["Message"].endswith("with an explicit deny in a service control policy")
    emulator.client("sqs", **user).list_queues()
    emulator.client("kms", account).list_keys()  # fixtures are above it
    emulator.control("DELETE", f"scp/{account}")
    emulator.client("kms", **user).list_keys()


@pytest.mark.parametrize(
    ("condition", "open_region", "closed_region"),
    [
        ({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, "eu-west-1", "eu-central-1"),
        ({"StringEquals": {"aws:RequestedRegion": "us-west-2"}}, "eu-west-1", "us-west-2"),
        ({"StringLike": {"aws:requestedregion": "ap-*"}}, "eu-west-1", "ap-south-1"),
    ],
    ids=str,
)
def test_scp_closes_a_region(emulator, account, condition, open_region, closed_region):
    user = emulator.user(account, allow("*"))
    emulator.control("POST", f"scp/{account}", {"Statement": [deny("*", Condition=condition)]})
    emulator.client("ec2", region=open_region, **user).describe_vpcs()
    error = denial(emulator.client("ec2", region=closed_region, **user).describe_vpcs)
    assert error["Code"] == "UnauthorizedOperation"
    assert error["Message"].startswith("You are not authorized to perform this operation. User: ")


def test_expired_session(account):
    """In this process, since nobody wants to wait the fifteen minutes of the shortest session."""
    from datetime import timedelta

    from moto.sts.models import sts_backends
    from strict_moto.access import Guard
    from strict_moto.call import Call
    from strict_moto.wire import Complaint, Refused

    session = sts_backends[account]["aws"].assume_role("us-east-1", "test", f"arn:aws:iam::{account}:role/r", "", 900, "")
    session.expiration -= timedelta(seconds=901)
    call = Call("kms", "ListKeys", "eu-west-1", account, "json", "kms", "POST", session.access_key_id, session.session_token)
    with pytest.raises(Refused) as refused:
        Guard().check(call)
    assert refused.value.complaint is Complaint.EXPIRED_TOKEN


def trusting(principal: str) -> dict:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}


def make_role(emulator, account: str, name: str, trust: dict, permission: dict, **more) -> str:
    iam = emulator.client("iam", account)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust), **more)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(permission))
    return role


def assume(sts, role: str, **parameters) -> dict[str, str]:
    return credentials_of(sts.assume_role(RoleArn=role, RoleSessionName="test", **parameters)["Credentials"])


def denial(call, *arguments, **parameters) -> dict:
    with pytest.raises(ClientError) as denied:
        call(*arguments, **parameters)
    return denied.value.response["Error"]
