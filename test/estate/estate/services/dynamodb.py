"""DynamoDB: tables with and without recovery, protection and a key of their own."""

from estate.account import REGIONS, Account
from estate.services import kms


def neglected(account: Account) -> None:
    for region in REGIONS:
        _table(account, region, "sessions")


def well_kept(account: Account) -> None:
    for region in REGIONS:
        encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": kms.key(account, region)}
        _table(account, region, "orders", SSESpecification=encryption, DeletionProtectionEnabled=True)
        account.client("dynamodb", region).update_continuous_backups(
            TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


def bulk(account: Account, region: str, number: int) -> None:
    _table(account, region, f"bulk-{number}")


def _table(account: Account, region: str, name: str, **more) -> None:
    account.client("dynamodb", region).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
