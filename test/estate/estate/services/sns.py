"""SNS: a topic anybody may publish to, and one for its own account."""

from estate.account import REGIONS, Account
from estate.policies import EVERYONE, allow, deny_plain_http, document
from estate.services import kms


def neglected(account: Account) -> None:
    for region in REGIONS:
        sns = account.client("sns", region)
        topic = sns.create_topic(Name="orders")["TopicArn"]
        everyone = allow(EVERYONE, ["SNS:Publish", "SNS:Subscribe"], topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=everyone)


def well_kept(account: Account) -> None:
    for region in REGIONS:
        sns = account.client("sns", region)
        topic = sns.create_topic(Name="orders", Attributes={"KmsMasterKeyId": kms.key(account, region)})["TopicArn"]
        own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "SNS:Publish", "Resource": topic}
        policy = document(own, deny_plain_http("SNS:Publish", topic))
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def bulk(account: Account, region: str, index: int) -> None:
    account.client("sns", region).create_topic(Name=f"bulk-{index}")
