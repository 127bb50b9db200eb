"""Where a stack goes."""

from estate.account import Account


class World:
    """An account and region of the emulator, reached from the inside, and the stack's name."""

    def __init__(self, endpoint: str, account: str, region: str, stack: str) -> None:
        self.endpoint = endpoint
        self.account = account
        self.region = region
        self.stack = stack
        self._account = Account("stack", account, endpoint)

    def client(self, service: str):
        return self._account.client(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        region = "" if service in ("iam", "s3") else self.region
        account = "" if service == "s3" else self.account
        return f"arn:aws:{service}:{region}:{account}:{resource}"
