"""One emulator for all tests; each test takes accounts of its own, so none sees another's resources."""

import itertools
import json
import os
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).parent.parent))

from strict_moto.launch import running  # noqa: E402

REGION = "eu-west-1"
_session = boto3.session.Session()
_config = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    parameter_validation=False,  # it is the emulator that must judge
    read_timeout=10,
    max_pool_connections=16,
)


class Emulator:
    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str, account: str | None = None, region: str = REGION, **credentials: str):
        """A client as the account itself, or with credentials as the emulator must judge them."""
        credentials = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = _session.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            config=_config,
            **credentials,
        )
        if account is not None:

            def as_account(request, **_) -> None:
                request.headers["x-moto-account-id"] = account
                request.url = request.url.replace(f"//{account}.", "//", 1)

            client.meta.events.register("before-sign.*.*", as_account)
        return client

    def user(self, account: str, *statements: dict) -> dict[str, str]:
        """Credentials of a new user with these permissions."""
        iam = self.client("iam", account)
        name = f"user-{next(_numbers)}"
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
        return credentials_of(iam.create_access_key(UserName=name)["AccessKey"])

    def control(self, method: str, path: str, body: object = None):
        request = urllib.request.Request(f"{self.url}/emulator/{path}", method=method, data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


def policy(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str) -> dict:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def deny(*actions: str, **more) -> dict:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"} | more


def credentials_of(key: dict) -> dict[str, str]:
    """boto3's names for a key from CreateAccessKey or AssumeRole."""
    credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return credentials | ({"aws_session_token": key["SessionToken"]} if "SessionToken" in key else {})


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def emulator():
    os.environ.pop("AWS_CA_BUNDLE", None)
    with running("--enforce") as url:
        yield Emulator(url)


@pytest.fixture
def account() -> str:
    return f"{next(_numbers):012d}"


@pytest.fixture
def other_account() -> str:
    return f"{next(_numbers):012d}"
