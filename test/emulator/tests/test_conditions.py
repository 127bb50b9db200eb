"""What conditions on each key see of real calls, against what AWS documents."""

import json

import pytest
from conftest import REGION, policy
from test_resources import DENIALS, code

TABLE = {
    "TableName": "records",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "ipk", "isk")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "index",
            "KeySchema": [{"AttributeName": "ipk", "KeyType": "HASH"}, {"AttributeName": "isk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def item(pk: str) -> dict:
    return {"pk": {"S": pk}, "sk": {"S": "1"}}


def query(pk: str, expression: str, **more) -> dict:
    return {"TableName": "records", "KeyConditionExpression": expression, "ExpressionAttributeValues": {":v": {"S": pk}}} | more


CALLS = {
    "get_item": lambda pk: {"TableName": "records", "Key": item(pk)},
    "put_item": lambda pk: {"TableName": "records", "Item": item(pk)},
    "delete_item": lambda pk: {"TableName": "records", "Key": item(pk)},
    "query": lambda pk: query(pk, "pk = :v"),
    "query by another name": lambda pk: query(pk, "(#p = :v)", ExpressionAttributeNames={"#p": "pk"}),
    "query of the index": lambda pk: query(pk, "ipk = :v", IndexName="index"),
    "batch_get_item": lambda pk: {"RequestItems": {"records": {"Keys": [item("O#x#MINE"), item(pk)]}}},
    "batch_write_item": lambda pk: {"RequestItems": {"records": [{"PutRequest": {"Item": item("O#x#MINE")}}, {"DeleteRequest": {"Key": item(pk)}}]}},
    "transact_write_items": lambda pk: {"TransactItems": [{"Put": {"TableName": "records", "Item": item(pk)}}]},
}


@pytest.mark.parametrize("call", CALLS)
def test_leading_keys(emulator, account, call):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html"""
    emulator.client("dynamodb", account).create_table(**TABLE)
    only = {
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["O#*#MINE", "O#*#MINE#*"]}},
    }
    operation = getattr(emulator.client("dynamodb", **emulator.user(account, only)), call.split(" ")[0])
    assert code(operation, CALLS[call]("O#x#MINE#1")) is None
    assert code(operation, CALLS[call]("O#x#OTHER")) in DENIALS
    assert code(operation, CALLS[call]("O#x#MINES")) in DENIALS


def test_encryption_context(emulator, account):
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context"""
    owner = emulator.client("kms", account)
    key = owner.create_key()["KeyMetadata"]["KeyId"]
    secret, plain = {"organization": "acme", "record": "c1"}, {"aws:s3:arn": "arn:aws:s3:::b"}
    conditions = {
        "StringEquals record": {"StringEquals": {"kms:EncryptionContext:record": "c1"}},
        "StringNotLike organization": {"StringNotLike": {"kms:EncryptionContext:organization": "*"}},
        "keys": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "organization"}},
    }
    for name, (with_secret, with_plain, with_none) in {
        "StringEquals record": (True, False, False),
        "StringNotLike organization": (False, True, True),
        "keys": (True, False, False),
    }.items():
        only = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": conditions[name]}
        client = emulator.client("kms", **emulator.user(account, only))
        for context, allowed in ((secret, with_secret), (plain, with_plain), (None, with_none)):
            given = {} if context is None else {"EncryptionContext": context}
            answer = code(client.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"} | given)
            assert (answer is None) == allowed, (name, context, answer)


def test_key_policy_decides_beside_the_callers(emulator, account):
    owner = emulator.client("kms", account)
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    by_name = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:user/elsewhere-*"}}
    user = emulator.user(account, everything)
    for statement, allowed in (
        (everything | {"Principal": root}, True),
        (everything | {"Principal": root, "Condition": by_name}, False),
        (everything | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}, False),
    ):
        key = owner.create_key(Policy=policy(statement))["KeyMetadata"]["KeyId"]
        answer = code(emulator.client("kms", **user).generate_data_key, {"KeyId": key, "KeySpec": "AES_256"})
        assert (answer is None) == allowed, (statement, answer)


def test_bucket_policy_denies(emulator, account):
    """A template may be written once: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html"""
    bucket = f"templates-{account}"
    owner = emulator.client("s3", account)
    owner.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": f"arn:aws:s3:::{bucket}/templates/*"}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny | {"Condition": {"Null": {"s3:if-none-match": "true"}}}]}))
    client = emulator.client("s3", **emulator.user(account, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    assert code(client.put_object, {"Bucket": bucket, "Key": "templates/a", "Body": b"x"}) in DENIALS
    assert code(client.put_object, {"Bucket": bucket, "Key": "templates/a", "Body": b"x", "IfNoneMatch": "*"}) is None
    assert code(client.put_object, {"Bucket": bucket, "Key": "other/a", "Body": b"x"}) is None
    assert code(client.delete_objects, {"Bucket": bucket, "Delete": {"Objects": [{"Key": "other/a"}, {"Key": "templates/a"}]}}) in DENIALS


def test_prefix(emulator, account):
    bucket = f"listed-{account}"
    emulator.client("s3", account).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    only = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "mine/*"}}}
    client = emulator.client("s3", **emulator.user(account, only))
    assert code(client.list_objects_v2, {"Bucket": bucket, "Prefix": "mine/a"}) is None
    assert code(client.list_objects_v2, {"Bucket": bucket, "Prefix": "other"}) in DENIALS
    assert code(client.list_objects_v2, {"Bucket": bucket}) in DENIALS


def test_events_source(emulator, account):
    """Each source of a batch must be allowed, and a call without one has none to allow; so must each bus."""
    default = f"arn:aws:events:{REGION}:{account}:event-bus/default"
    only = {"ForAllValues:StringEquals": {"events:source": "mine"}, "Null": {"events:source": "false"}}
    client = emulator.client("events", **emulator.user(account, {"Effect": "Allow", "Action": "events:PutEvents", "Resource": default, "Condition": only}))

    def put(*sources, **more):
        return code(client.put_events, {"Entries": [{"Source": source, "DetailType": "x", "Detail": "{}", **more} for source in sources]})

    assert put("mine") is None
    assert put("mine", "mine", EventBusName=default) is None
    assert put("aws.s3") in DENIALS
    assert put("mine", "another") in DENIALS
    assert put("Mine") in DENIALS
    assert put("mine", EventBusName="other") in DENIALS


def test_an_unknown_key_is_an_error(emulator, account):
    only = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringNotLike": {"kms:EncryptionContxt:x": "*"}}}
    client = emulator.client("kms", **emulator.user(account, only))
    assert code(client.list_keys, {}) not in (None, *DENIALS)


def test_tags_of_keys(emulator, account):
    """https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html"""
    kms = emulator.client("kms", account)
    mine, others, untagged = (
        kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
        for tags in ([{"TagKey": "of:whom", "TagValue": "me"}], [{"TagKey": "of:whom", "TagValue": "you"}], [])
    )
    tagged = {"StringEquals": {"aws:ResourceTag/of:whom": "me"}}
    only = {"Effect": "Allow", "Action": ["kms:*", "sqs:*"], "Resource": "*", "Condition": tagged}
    user = emulator.user(account, only)
    describe = emulator.client("kms", **user).describe_key
    assert code(describe, {"KeyId": mine}) is None
    assert code(describe, {"KeyId": others}) in DENIALS
    assert code(describe, {"KeyId": untagged}) in DENIALS
    assert code(emulator.client("sqs", **user).list_queues, {}) not in (None, *DENIALS)  # nobody looks at tags of queues
