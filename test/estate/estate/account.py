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
        self.client = cache(self._new_client)

    def arn(self, service: str, resource: str, region: str = "") -> str:
        return f"arn:aws:{service}:{region}:{self.id}:{resource}"

    def name_of(self, thing: str) -> str:
        """A name that no other sample account uses, for what must be unique in the world."""
        return f"{self.name}-{thing}-{self.id}"

    def age_user(self, user: str, days: int) -> None:
        """Makes a user and its keys older, through the emulator's own endpoint: AWS has nothing like it."""
        body = json.dumps({"account": self.id, "days": days}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self._endpoint}/emulator/age/{user}", data=body)).close()

    def answer(self, service: str, operation: str, body: str | dict) -> None:
        """Lays down what an operation answers for this account, in all regions: for what moto does not implement, or gets wrong."""
        answer = {"service": service, "operation": operation, "account": self.id, "region": "*", "status": 200, "body": body}
        request = urllib.request.Request(f"{self._endpoint}/emulator/answers", data=json.dumps(answer).encode())
        urllib.request.urlopen(request).close()

    def _new_client(self, service: str, region: str = HOME):
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
