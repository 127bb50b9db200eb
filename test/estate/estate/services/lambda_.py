"""Lambda: a function with a password in its environment that anybody may invoke, and a modest one."""

import io
import zipfile

from estate.account import HOME, Account
from estate.services import iam


def neglected(account: Account) -> None:
    _function(account, HOME, "resize", runtime="python3.8", environment={"DB_PASSWORD": "hunter2-hunter2", "STAGE": "prod"})
    account.client("lambda").add_permission(
        FunctionName="resize", StatementId="anybody", Action="lambda:InvokeFunction", Principal="*"
    )


def well_kept(account: Account) -> None:
    _function(account, HOME, "resize", runtime="python3.13", environment={"STAGE": "prod"}, tracing="Active")


def bulk(account: Account, region: str, index: int) -> None:
    _function(account, region, f"bulk-{index}", runtime="python3.13", environment={})


def _function(account: Account, region: str, name: str, runtime: str, environment: dict[str, str], tracing: str = "PassThrough") -> None:
    account.client("lambda", region).create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=iam.service_role(account, "functions", "lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": _code()},
        Environment={"Variables": environment},
        TracingConfig={"Mode": tracing},
    )


def _code() -> bytes:
    """The same bytes each time: an entry's date would differ otherwise."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr(zipfile.ZipInfo("index.py"), "def handler(event, context):\n    return event\n")
    return archive.getvalue()
