"""The policy language by itself."""

import pytest
from strict_moto.policies import Decision, NotUnderstood, Request, check_understood, evaluate

ALLOWED, DENIED, SILENT = Decision.ALLOWED, Decision.DENIED, Decision.SILENT


def statement(effect="Allow", **more) -> dict:
    return {"Effect": effect, "Action": "s3:Get*", "Resource": "*"} | more


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], SILENT),
        ([statement()], ALLOWED),
        ([statement(Action="S3:getbucketacl")], ALLOWED),
        ([statement(Action=["kms:*", "s3:GetBucketAc?"])], ALLOWED),
        ([statement(Action="s3:Get[A-Z]*")], SILENT),
        ([statement(Action="s3:GetBucket")], SILENT),
        ([{"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}], ALLOWED),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], SILENT),
        ([statement(), statement("Deny")], DENIED),
        ([statement("Deny"), statement()], DENIED),
        ([statement(Resource="arn:aws:s3:::one")], ALLOWED),
        ([statement(), statement("Deny", Resource="arn:aws:s3:::one")], ALLOWED),
        ([statement(), {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::one"}], ALLOWED),
    ],
)
def test_actions(statements, decision):
    assert evaluate([{"Statement": statements}], Request("s3:GetBucketAcl")) is decision


@pytest.mark.parametrize(
    ("pattern", "decision"), [("arn:aws:s3:::one", ALLOWED), ("arn:aws:s3:::o*", ALLOWED), ("arn:aws:s3:::two", SILENT)]
)
def test_known_resource(pattern, decision):
    documents = [{"Statement": statement(Resource=pattern)}]
    assert evaluate(documents, Request("s3:GetBucketAcl", "arn:aws:s3:::one")) is decision


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "EU-WEST-1"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "EU-WEST-1"}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}, False),
        ({"StringLike": {"aws:RequestedRegion": "eu-*"}}, True),
        ({"StringNotLike": {"aws:RequestedRegion": "eu-*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"StringEquals": {"aws:SourceAccount": "x"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "x"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "x"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1", "aws:SourceAccount": "x"}}, False),
    ],
    ids=str,
)
def test_conditions(condition, holds):
    request = Request("s3:GetBucketAcl", context={"aws:requestedregion": "eu-west-1", "aws:securetransport": "true"})
    decision = evaluate([{"Statement": statement(Condition=condition)}], request)
    assert decision is (ALLOWED if holds else SILENT)


@pytest.mark.parametrize(
    ("condition", "keys", "holds"),
    [
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["O#*#A", "O#*#A#*"]}}, ["O#x#A", "O#y#A#1"], True),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["O#*#A", "O#*#A#*"]}}, ["O#x#A", "O#x#B"], False),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "O#*#A"}}, [], True),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "O#*#A"}, "Null": {"dynamodb:LeadingKeys": "false"}}, [], False),
        ({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "A"}}, ["B", "A"], True),
        ({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "A"}}, ["B"], False),
        ({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "A"}}, [], False),
        ({"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": "A"}}, ["B", "A"], True),
        ({"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": "A*"}}, ["B", "Ab"], False),
        ({"Null": {"dynamodb:LeadingKeys": "true"}}, [], True),
        ({"Null": {"dynamodb:LeadingKeys": ["false"]}}, ["A"], True),
    ],
    ids=str,
)
def test_several_values(condition, keys, holds):
    request = Request("s3:GetBucketAcl", context={"dynamodb:leadingkeys": keys} if keys else {})
    decision = evaluate([{"Statement": statement(Condition=condition)}], request)
    assert decision is (ALLOWED if holds else SILENT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Condition": {"DateLessThan": {"aws:SourceArn": "2020"}}},
        {"Condition": {"ForSomeValues:StringLike": {"aws:SourceArn": "x"}}},
        {"Condition": {"StringEquals": {"aws:SourceAcount": "111122223333"}}},
        {"Condition": {"StringEquals": {"dynamodb:LeadingKey": "x"}}},
        {"Effect": "allow"},
    ],
    ids=str,
)
def test_what_is_not_understood_is_an_error(wrong):
    with pytest.raises(NotUnderstood):
        check_understood({"Statement": statement() | wrong})
