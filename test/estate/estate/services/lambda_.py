"""Lambda: a function with a password in its environment that anybody may invoke, and a modest one in a network."""

import functools
import io
import zipfile

from estate.account import HOME, Account
from estate.services import elbv2, iam


def neglected(account: Account) -> None:
    _function(account, HOME, "resize", runtime="python3.8", environment={"DB_PASSWORD": "hunter2-hunter2", "STAGE": "prod"})
    account.client("lambda").add_permission(
        FunctionName="resize", StatementId="anybody", Action="lambda:InvokeFunction", Principal="*"
    )
    _layer(account, principal="*")
    _none(account)


def well_kept(account: Account) -> None:
    groups = account.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["web"]}])["SecurityGroups"]
    _function(
        account,
        HOME,
        "resize",
        runtime="python3.13",
        environment={"STAGE": "prod"},
        TracingConfig={"Mode": "Active"},
        VpcConfig={"SubnetIds": elbv2.subnets(account), "SecurityGroupIds": [group["GroupId"] for group in groups]},
    )
    account.client("lambda").put_function_concurrency(FunctionName="resize", ReservedConcurrentExecutions=10)
    account.client("lambda").publish_version(FunctionName="resize")
    # AWS takes the id alone and makes this of it.
    _layer(account, principal=f"arn:aws:iam::{account.id}:root")
    _none(account)


def _none(account: Account) -> None:
    """Says for what moto lacks that there is none of it."""
    account.answer("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": []})
    account.answer("lambda", "ListCodeSigningConfigs", {"CodeSigningConfigs": []})


def _layer(account: Account, principal: str) -> None:
    client = account.client("lambda")
    version = client.publish_layer_version(LayerName="shared", Content={"ZipFile": _code()})["Version"]
    client.add_layer_version_permission(
        LayerName="shared", VersionNumber=version, StatementId="read", Action="lambda:GetLayerVersion", Principal=principal
    )


def bulk(account: Account, region: str, number: int) -> None:
    _function(account, region, f"bulk-{number}", runtime="python3.13", environment={})


def _function(account: Account, region: str, name: str, runtime: str, environment: dict[str, str], **more) -> None:
    account.client("lambda", region).create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=iam.service_role(account, "functions", "lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": _code()},
        Environment={"Variables": environment},
        **more,
    )


@functools.cache
def _code() -> bytes:
    """The same bytes each time: an entry's date would differ otherwise."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr(zipfile.ZipInfo("index.py"), "def handler(event, context):\n    return event\n")
    return archive.getvalue()
