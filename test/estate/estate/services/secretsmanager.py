"""Secrets Manager: a secret that anybody may read, against one under a key of its own that rotates."""

import json

from estate.account import HOME, Account
from estate.policies import EVERYONE, allow
from estate.services import kms


def neglected(account: Account) -> None:
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name="shop/database", SecretString=json.dumps({"password": "correct-horse-battery"}))
    secrets.put_resource_policy(SecretId="shop/database", ResourcePolicy=allow(EVERYONE, "secretsmanager:GetSecretValue", "*"))


def well_kept(account: Account) -> None:
    account.client("secretsmanager").create_secret(
        Name="ledger/database", SecretString=json.dumps({"password": "correct-horse-battery"}), KmsKeyId=kms.key(account, HOME)
    )


def bulk(account: Account, region: str, index: int) -> None:
    account.client("secretsmanager", region).create_secret(Name=f"bulk-{index}", SecretString="correct-horse-battery")
