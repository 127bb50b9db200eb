"""RDS: a database on the open internet without encryption or backups, and one as it should be."""

from estate.account import Account
from estate.services import kms, sns

COMMON = {
    "Engine": "postgres",
    "EngineVersion": "16.3",
    "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": 20,
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",  # moto's own default is none of AWS's
    "MasterUsername": "owner",
    "MasterUserPassword": "correct-horse-battery",
}


def neglected(account: Account) -> None:
    for region in ("eu-west-1", "us-east-1"):
        rds = account.client("rds", region)
        rds.create_db_instance(
            DBInstanceIdentifier="shop",
            StorageEncrypted=False,
            PubliclyAccessible=True,
            BackupRetentionPeriod=0,
            AutoMinorVersionUpgrade=False,
            **COMMON,
        )
        rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="shop-2019")
        rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="shop-2019", AttributeName="restore", ValuesToAdd=["all"])


def well_kept(account: Account) -> None:
    rds = account.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="ledger",
        StorageEncrypted=True,
        KmsKeyId=kms.key(account, "eu-west-1"),
        PubliclyAccessible=False,
        MultiAZ=True,
        BackupRetentionPeriod=30,
        AutoMinorVersionUpgrade=True,
        DeletionProtection=True,
        Port=5433,
        CopyTagsToSnapshot=True,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        **COMMON,
    )
    for source, categories in {
        "db-instance": ["configuration change", "failure", "maintenance"],
        "db-parameter-group": ["configuration change"],
    }.items():
        rds.create_event_subscription(
            SubscriptionName=source, SnsTopicArn=sns.security_topic(account), SourceType=source, EventCategories=categories, Enabled=True
        )


def bulk(account: Account, region: str, number: int) -> None:
    account.client("rds", region).create_db_instance(DBInstanceIdentifier=f"bulk-{number}", StorageEncrypted=number % 2 == 0, **COMMON)
