"""Where a stack goes."""

import botocore.session
from botocore import xform_name
from botocore.model import Shape
from estate.account import Account


class World:
    """An account and region of the emulator, reached from the inside, and the stack's name."""

    def __init__(self, endpoint: str, account: str, region: str, stack: str) -> None:
        self.endpoint = endpoint
        self.account = account
        self.region = region
        self.stack = stack
        session = botocore.session.get_session()
        self.partition = session.get_partition_for_region(region)
        partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
        self.domain = next(p["outputs"]["dnsSuffix"] for p in partitions if p["id"] == self.partition)
        self._account = Account("stack", account, endpoint)

    def client(self, service: str):
        return self._account.client(service, self.region)

    def call(self, service: str, operation: str, **parameters) -> dict:
        """Calls an operation with parameters as a template has them: its numbers and booleans may be strings."""
        client = self.client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        return getattr(client, xform_name(operation))(**_typed(shape, parameters))

    def arn(self, service: str, resource: str) -> str:
        region = "" if service in ("iam", "s3") else self.region
        account = "" if service == "s3" else self.account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"


def _typed(shape: Shape, value):
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            return {name: _typed(shape.members[name], each) if name in shape.members else each for name, each in value.items()}
        case "list" if isinstance(value, list):
            return [_typed(shape.member, each) for each in value]
        case "integer" | "long":
            return int(value)
        case "boolean":
            return value in (True, "true")
    return value
