"""KMS: keys that rotate or do not, and one that anybody may use."""

import functools

from estate.account import REGIONS, Account
from estate.policies import EVERYONE, allow, document


def neglected(account: Account) -> None:
    for region in REGIONS:
        kms = account.client("kms", region)
        _key(account, region, "billing", rotate=False)
        shared = _key(account, region, "shared", rotate=False)
        kms.put_key_policy(KeyId=shared, PolicyName="default", Policy=allow(EVERYONE, "kms:*", "*"))
    doomed = _key(account, "us-east-1", "old-backups", rotate=False)
    account.client("kms", "us-east-1").schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)


def well_kept(account: Account) -> None:
    for region in REGIONS:
        key(account, region)


def bulk(account: Account, region: str, number: int) -> None:
    _key(account, region, f"bulk-{number}", rotate=number % 2 == 0)


@functools.cache
def key(account: Account, region: str) -> str:
    """The ARN of the well-kept account's key, for the services that encrypt with it."""
    kms = account.client("kms", region)
    try:
        return kms.describe_key(KeyId="alias/data")["KeyMetadata"]["Arn"]
    except kms.exceptions.NotFoundException:
        return account.arn("kms", f"key/{_key(account, region, 'data', rotate=True)}", region)


def _key(account: Account, region: str, name: str, rotate: bool) -> str:
    """A customer key with an alias, and its id."""
    kms = account.client("kms", region)
    owner = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "kms:*", "Resource": "*"}
    key_id = kms.create_key(Description=name, Policy=document(owner))["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key_id)
    if rotate:
        kms.enable_key_rotation(KeyId=key_id)
    return key_id
