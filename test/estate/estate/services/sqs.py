"""SQS: a queue open to the world, without encryption or dead-letter queue, against the opposite."""

import json

from estate.account import REGIONS, Account
from estate.policies import EVERYONE, allow, deny_plain_http, document
from estate.services import kms


def neglected(account: Account) -> None:
    for region in REGIONS:
        everyone = allow(EVERYONE, "sqs:*", account.arn("sqs", "jobs", region))
        account.client("sqs", region).create_queue(QueueName="jobs", Attributes={"SqsManagedSseEnabled": "false", "Policy": everyone})


def well_kept(account: Account) -> None:
    for region in REGIONS:
        sqs = account.client("sqs", region)
        sqs.create_queue(QueueName="jobs-failed", Attributes=_protected(account, region, "jobs-failed"))
        redrive = {"deadLetterTargetArn": account.arn("sqs", "jobs-failed", region), "maxReceiveCount": 5}
        attributes = _protected(account, region, "jobs") | {"RedrivePolicy": json.dumps(redrive)}
        sqs.create_queue(QueueName="jobs", Attributes=attributes)


def bulk(account: Account, region: str, number: int) -> None:
    account.client("sqs", region).create_queue(QueueName=f"bulk-{number}")


def _protected(account: Account, region: str, queue: str) -> dict[str, str]:
    policy = document(deny_plain_http("sqs:*", account.arn("sqs", queue, region)))
    return {"KmsMasterKeyId": kms.key(account, region), "Policy": policy}
