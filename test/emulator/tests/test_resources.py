"""A policy for one table, bucket, queue, topic or key is good for no other."""

import pytest
from botocore.exceptions import ClientError
from conftest import REGION

ITEM = {"id": {"S": "1"}}


def only(action: str, *resources: str) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


@pytest.mark.parametrize(
    ("action", "resource", "service", "operation", "mine", "other"),
    [
        ("dynamodb:PutItem", "dynamodb:{r}:{a}:table/mine", "dynamodb", "put_item",
         {"TableName": "mine", "Item": ITEM}, {"TableName": "other", "Item": ITEM}),
        ("dynamodb:Query", "dynamodb:{r}:{a}:table/mine/index/i", "dynamodb", "query",
         {"TableName": "mine", "IndexName": "i"}, {"TableName": "mine"}),
        ("dynamodb:BatchGetItem", "dynamodb:{r}:{a}:table/mine", "dynamodb", "batch_get_item",
         {"RequestItems": {"mine": {"Keys": [ITEM]}}}, {"RequestItems": {"other": {"Keys": [ITEM]}}}),
        ("sqs:SendMessage", "sqs:{r}:{a}:mine", "sqs", "send_message",
         {"QueueUrl": "https://sqs.{r}.amazonaws.com/{a}/mine", "MessageBody": "x"},
         {"QueueUrl": "https://sqs.{r}.amazonaws.com/{a}/other", "MessageBody": "x"}),
        ("cloudformation:DeleteStack", "cloudformation:{r}:{a}:stack/mine/*", "cloudformation", "delete_stack",
         {"StackName": "mine"}, {"StackName": "arn:aws:cloudformation:{r}:{a}:stack/other/1"}),
        ("sns:Publish", "sns:{r}:{a}:mine", "sns", "publish",
         {"TopicArn": "arn:aws:sns:{r}:{a}:mine", "Message": "x"}, {"TopicArn": "arn:aws:sns:{r}:{a}:other", "Message": "x"}),
        ("s3:GetObject", "s3:::mine-{a}/a/*", "s3", "get_object",
         {"Bucket": "mine-{a}", "Key": "a/b"}, {"Bucket": "mine-{a}", "Key": "b"}),
        ("s3:ListBucket", "s3:::mine-{a}", "s3", "list_objects_v2", {"Bucket": "mine-{a}"}, {"Bucket": "other-{a}"}),
        ("kms:GenerateDataKey", "kms:{r}:{a}:key/mine", "kms", "generate_data_key",
         {"KeyId": "mine", "KeySpec": "AES_256"}, {"KeyId": "arn:aws:kms:{r}:{a}:key/other", "KeySpec": "AES_256"}),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)  # fmt: skip
def test_resource_of(emulator, account, action, resource, service, operation, mine, other):
    def filled(value):
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return value.format(r=REGION, a=account) if isinstance(value, str) else value

    client = emulator.client(service, **emulator.user(account, only(action, "arn:aws:" + filled(resource))))
    assert code(getattr(client, operation), filled(mine)) not in DENIALS  # but there is no such thing
    assert code(getattr(client, operation), filled(other)) in DENIALS


def test_alias_stands_for_its_key(emulator, account):
    kms = emulator.client("kms", account)
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    client = emulator.client("kms", **emulator.user(account, only("kms:GenerateDataKey", key["Arn"])))
    assert code(client.generate_data_key, {"KeyId": "alias/mine", "KeySpec": "AES_256"}) is None
    assert code(client.generate_data_key, {"KeyId": "alias/other", "KeySpec": "AES_256"}) == "NotFoundException"


DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


def code(operation, parameters: dict) -> str | None:
    try:
        operation(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
