"""CloudWatch Logs: groups that keep logs for ever, or for a year and encrypted, filters that count what must not go unnoticed, and destinations."""

from estate import cis
from estate.account import HOME, REGIONS, Account
from estate.policies import EVERYONE, allow
from estate.services import kms

TRAIL = "trail"
FLOWS = "flows"


def neglected(account: Account) -> None:
    for region in REGIONS:
        account.client("logs", region).create_log_group(logGroupName="/app/shop")
    _destination(account, EVERYONE)


def well_kept(account: Account) -> None:
    for region in REGIONS:
        group(account, region, "/app/shop")
    group(account, HOME, TRAIL)
    for name, pattern in cis.PATTERNS.items():
        metric = {"metricName": name, "metricNamespace": cis.NAMESPACE, "metricValue": "1"}
        account.client("logs").put_metric_filter(
            logGroupName=TRAIL, filterName=name, filterPattern=pattern, metricTransformations=[metric]
        )
    _destination(account, {"AWS": account.id})


def bulk(account: Account, region: str, number: int) -> None:
    account.client("logs", region).create_log_group(logGroupName=f"/bulk/{number}")


def group(account: Account, region: str, name: str) -> str:
    """The ARN of a group as it should be, which is made unless another service needed it first."""
    logs = account.client("logs", region)
    try:
        logs.create_log_group(logGroupName=name, kmsKeyId=kms.key(account, region))
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    logs.put_retention_policy(logGroupName=name, retentionInDays=365)
    return account.arn("logs", f"log-group:{name}", region)


def _destination(account: Account, principal: str | dict) -> None:
    """Where a principal's log groups may send their events."""
    logs = account.client("logs")
    stream, role = account.arn("kinesis", "stream/central", HOME), account.arn("iam", "role/logs-to-kinesis")
    arn = logs.put_destination(destinationName="central", targetArn=stream, roleArn=role)["destination"]["arn"]
    logs.put_destination_policy(destinationName="central", accessPolicy=allow(principal, "logs:PutSubscriptionFilter", arn))
