"""CloudWatch Logs: groups that keep logs for ever, or for a year and encrypted."""

from estate.account import REGIONS, Account
from estate.services import kms


def neglected(account: Account) -> None:
    for region in REGIONS:
        account.client("logs", region).create_log_group(logGroupName="/app/shop")


def well_kept(account: Account) -> None:
    for region in REGIONS:
        logs = account.client("logs", region)
        logs.create_log_group(logGroupName="/app/shop", kmsKeyId=kms.key(account, region))
        logs.put_retention_policy(logGroupName="/app/shop", retentionInDays=365)


def bulk(account: Account, region: str, index: int) -> None:
    account.client("logs", region).create_log_group(logGroupName=f"/bulk/{index}")
