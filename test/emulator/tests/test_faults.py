"""Faults strike where told, as often as told, in each protocol's own words."""

import time
import urllib.error

import botocore.exceptions
import botocore.parsers
import pytest
from botocore.exceptions import ClientError


@pytest.fixture(autouse=True)
def no_faults_left(emulator):
    yield
    emulator.control("DELETE", "faults")


@pytest.mark.parametrize(
    ("service", "operation", "throttled", "broken"),
    [
        ("iam", "list_users", ("Throttling", 400), ("InternalFailure", 500)),
        ("ec2", "describe_vpcs", ("RequestLimitExceeded", 503), ("InternalError", 500)),
        ("kms", "list_keys", ("ThrottlingException", 400), ("InternalFailure", 500)),
        ("lambda", "list_functions", ("ThrottlingException", 429), ("InternalFailure", 500)),
        ("s3", "list_buckets", ("SlowDown", 503), ("InternalError", 500)),
        ("route53", "list_hosted_zones", ("Throttling", 400), ("InternalFailure", 500)),
    ],
)
def test_throttle_and_error(emulator, account, service, operation, throttled, broken):
    client = emulator.client(service, account)
    for kind, (code, status) in {"throttle": throttled, "error500": broken}.items():
        emulator.control("POST", "faults", [{"service": service, "account": account, "kind": kind, "times": 1}])
        with pytest.raises(ClientError) as failed:
            getattr(client, operation)()
        assert failed.value.response["Error"]["Code"] == code
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        getattr(client, operation)()  # spent


def test_selectors(emulator, account, other_account):
    rule = {"operation": "ListKeys", "region": "eu-west-1", "account": account, "kind": "throttle", "times": 0}
    emulator.control("POST", "faults", [rule])
    kms = emulator.client("kms", account)
    for _ in range(3):
        with pytest.raises(ClientError):
            kms.list_keys()
    kms.list_aliases()
    emulator.client("kms", account, region="us-east-1").list_keys()
    emulator.client("kms", other_account).list_keys()


def test_garbage(emulator, account):
    emulator.control("POST", "faults", [{"account": account, "kind": "garbage"}])
    # Of the JSON protocols boto3 swallows anything with status 200.
    for service, operation in {"ec2": "describe_vpcs", "iam": "list_users"}.items():
        with pytest.raises(botocore.parsers.ResponseParserError):
            getattr(emulator.client(service, account), operation)()


@pytest.mark.parametrize(("kind", "at_least"), [("reset", 0), ("hang", 0.5)])
def test_connection_closes_without_an_answer(emulator, account, kind, at_least):
    emulator.control("POST", "faults", [{"account": account, "kind": kind, "seconds": at_least}])
    start = time.monotonic()
    with pytest.raises((botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)):
        emulator.client("kms", account).list_keys()
    assert time.monotonic() - start >= at_least


def test_delay(emulator, account):
    emulator.control("POST", "faults", [{"account": account, "kind": "delay", "seconds": 0.5, "times": 1}])
    start = time.monotonic()
    emulator.client("kms", account).list_keys()
    assert time.monotonic() - start >= 0.5


def test_calls_tell_what_happened(emulator, account):
    emulator.control("POST", "faults", [{"account": account, "kind": "throttle", "times": 1}])
    kms = emulator.client("kms", account)
    with pytest.raises(ClientError):
        kms.list_keys()
    kms.list_keys()
    outcomes = [call["outcome"] for call in emulator.control("GET", "calls") if call["account"] == account]
    assert outcomes == ["throttle", "ok"]
    emulator.control("DELETE", "calls")
    assert emulator.control("GET", "calls") == []


@pytest.mark.parametrize("rules", [[{"kind": "earthquake"}], [{"kind": "reset", "when": "now"}], 7])
def test_rules_that_make_no_sense(emulator, rules):
    with pytest.raises(urllib.error.HTTPError) as refused:
        emulator.control("POST", "faults", rules)
    assert refused.value.code == 400
