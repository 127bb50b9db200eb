"""Tags: keys of production and of test, some without a tag, and a queue with a password in its tags."""

from estate.account import REGIONS, Account
from estate.services import kms


def neglected(account: Account) -> None:
    for region in REGIONS:
        client = account.client("kms", region)
        for alias, env in (("billing", "prod"), ("shared", "test")):
            key_id = client.describe_key(KeyId=f"alias/{alias}")["KeyMetadata"]["KeyId"]
            client.tag_resource(KeyId=key_id, Tags=[{"TagKey": "env", "TagValue": env}])
        sqs = account.client("sqs", region)
        sqs.tag_queue(QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], Tags={"env": "prod", "db_password": "hunter2-hunter2"})


def well_kept(account: Account) -> None:
    for region in REGIONS:
        account.client("kms", region).tag_resource(KeyId=kms.key(account, region), Tags=[{"TagKey": "env", "TagValue": "prod"}])
