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
    secrets = account.client("secretsmanager")
    password = json.dumps({"password": "correct-horse-battery"})
    secrets.create_secret(Name="ledger/database", SecretString=password, KmsKeyId=kms.key(account, HOME))
    secrets.rotate_secret(SecretId="ledger/database", RotationRules={"AutomaticallyAfterDays": 30})


def bulk(account: Account, region: str, number: int) -> None:
    account.client("secretsmanager", region).create_secret(Name=f"bulk-{number}", SecretString="correct-horse-battery")
