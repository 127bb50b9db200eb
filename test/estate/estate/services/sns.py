"""SNS: a topic anybody may publish to, and topics for their own account, one of which has somebody who listens."""

import functools

from estate import wire
from estate.account import HOME, REGIONS, Account
from estate.policies import EVERYONE, allow, deny_plain_http, document
from estate.services import kms

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"


def neglected(account: Account) -> None:
    for region in REGIONS:
        sns = account.client("sns", region)
        topic = sns.create_topic(Name="orders")["TopicArn"]
        everyone = allow(EVERYONE, ["SNS:Publish", "SNS:Subscribe"], topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=everyone)


def well_kept(account: Account) -> None:
    security_topic(account)
    for region in REGIONS[1:]:
        _topic(account, region, "orders")


def bulk(account: Account, region: str, number: int) -> None:
    account.client("sns", region).create_topic(Name=f"bulk-{number}")


@functools.cache
def security_topic(account: Account) -> str:
    """The ARN of the topic whose subscriber looks after security. It is alone in its region: the answer below is for all topics there."""
    sns = account.client("sns", HOME)
    topic = _topic(account, HOME, "security")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")
    # moto never counts a topic's subscriptions.
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"] | {"SubscriptionsConfirmed": "1"}
    result = f"<Attributes>{wire.entries(attributes)}</Attributes>"
    account.answer("sns", "GetTopicAttributes", wire.answer("GetTopicAttributes", NAMESPACE, result), HOME)
    return topic


def _topic(account: Account, region: str, name: str) -> str:
    """A topic for its own account, and its ARN."""
    arn = account.arn("sns", name, region)
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "SNS:Publish", "Resource": arn}
    attributes = {"KmsMasterKeyId": kms.key(account, region), "Policy": document(own, deny_plain_http("SNS:Publish", arn))}
    account.client("sns", region).create_topic(Name=name, Attributes=attributes)
    return arn
