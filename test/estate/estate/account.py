"""An account of the emulator, reached from the inside."""

import json
import threading
import urllib.request
from functools import cache

import boto3
from botocore.config import Config

HOME = "eu-west-1"
REGIONS = [HOME, "us-east-1", "eu-central-1"]

# One session, since each reads its service models anew. Creating clients is not thread safe in boto3, using them is.
_session = boto3.session.Session()
_creation = threading.Lock()

# No retries: a fault of the emulator shows at once.
_config = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    max_pool_connections=16,
)


class Account:
    """One sample account. The emulator lets a call with its id in a header act as the account itself, above all access control."""

    def __init__(self, name: str, account_id: str, endpoint: str) -> None:
        self.name = name
        self.id = account_id
        self._endpoint = endpoint
        self.client = cache(self.new_client)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Account) and (self.id, self._endpoint) == (other.id, other._endpoint)

    def __hash__(self) -> int:
        return hash((self.id, self._endpoint))

    def arn(self, service: str, resource: str, region: str = "") -> str:
        return f"arn:aws:{service}:{region}:{self.id}:{resource}"

    def name_of(self, thing: str) -> str:
        """A name that no other sample account uses, for what must be unique in the world."""
        return f"{self.name}-{thing}-{self.id}"

    def regions(self) -> list[str]:
        """All regions that are enabled, in use or not."""
        return [region["RegionName"] for region in self.client("ec2").describe_regions()["Regions"]]

    def age_user(self, user: str, days: int) -> None:
        """Makes a user and its keys older, through the emulator's own endpoint: AWS has nothing like it."""
        body = json.dumps({"account": self.id, "days": days}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self._endpoint}/emulator/age/{user}", data=body)).close()

    def answer(self, service: str, operation: str, body: str | dict, region: str = "*") -> None:
        """Lays down what an operation answers for this account, in one region or all: for what moto does not implement, or gets wrong."""
        self._lay_down(service=service, operation=operation, region=region, status=200, body=body)

    def refuse(self, service: str, operation: str, status: int, code: str, message: str) -> None:
        """Lays down the error with which an operation answers for this account in all regions."""
        self._lay_down(service=service, operation=operation, region="*", status=status, code=code, body=message)

    def _lay_down(self, **answer) -> None:
        data = json.dumps(answer | {"account": self.id}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self._endpoint}/emulator/answers", data=data)).close()

    def new_client(self, service: str, region: str = HOME):
        """A client of one's own, to hook into; client() gives the same one each time."""
        with _creation:
            client = _session.client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                aws_access_key_id="seed",
                aws_secret_access_key="seed",
                config=_config,
            )
        client.meta.events.register("before-sign.*.*", self._sign_as_account)
        return client

    def _sign_as_account(self, request, **_) -> None:
        request.headers["x-moto-account-id"] = self.id
        request.url = request.url.replace(f"//{self.id}.", "//", 1)  # S3 Control's account.127.0.0.1 resolves nowhere
