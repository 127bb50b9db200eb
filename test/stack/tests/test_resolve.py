"""Intrinsic functions, resolved here and rewritten for moto."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "estate")]

from deployer.kinds import Unsupported  # noqa: E402
from deployer.resolve import Resolver  # noqa: E402
from deployer.rewrite import Rewriting  # noqa: E402
from deployer.world import World  # noqa: E402

WORLD = World("http://127.0.0.1:1", "123456789012", "eu-west-1", "sample")
TEMPLATE = SimpleNamespace(
    parameters={"Stage": "dev"},
    resources={"Jobs": {"Type": "AWS::SQS::Queue"}, "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/a/"}}},
    conditions={
        "Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "Prod": {"Fn::Not": [{"Condition": "Dev"}]},
        "Both": {"Fn::And": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
        "Either": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
    },
    mappings={"Sizes": {"dev": {"memory": 128}}},
    aliases=lambda: {},
)
RESOLVER = Resolver(WORLD, TEMPLATE, {"Jobs": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs-1", "Role": "role-1"})


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Jobs", "Arn"]}, "arn:aws:sqs:eu-west-1:123456789012:jobs-1"),
        ({"Fn::GetAtt": "Jobs.QueueName"}, "jobs-1"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::123456789012:role/a/role-1"),
        ({"Fn::Sub": "${Stage}-${Jobs.QueueName}-${!kept}"}, "dev-jobs-1-${kept}"),
        ({"Fn::Sub": ["${a}-${Stage}", {"a": {"Ref": "AWS::AccountId"}}]}, "123456789012-dev"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-dev"),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b"]}]}, "b"),
        ({"Fn::If": ["Prod", 1, 2]}, 2),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 128),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
    ],
)
def test_values(value, resolved):
    assert RESOLVER.value(value) == resolved


def test_conditions():
    assert [RESOLVER.condition(name) for name in TEMPLATE.conditions] == [True, False, False, True]


@pytest.mark.parametrize("value", [{"Ref": "Nobody"}, {"Fn::GetAtt": ["Jobs", "Colour"]}, {"Fn::ImportValue": "other"}])
def test_refuses_what_it_does_not_know(value):
    with pytest.raises(Unsupported):
        RESOLVER.value(value)


def test_rewriting():
    rewriting = Rewriting({"Api": "api"}, {"Alias": "Worker"}, RESOLVER.condition)
    assert rewriting.of(
        {
            "url": {"Fn::Sub": "https://${Api}.${AWS::Region}"},
            "function": {"Ref": "Alias"},
            "uri": {"Fn::Sub": "${Alias}/invocations"},
            "list": [{"Fn::If": ["Prod", "a", {"Ref": "AWS::NoValue"}]}, {"Ref": "Jobs"}],
        }
    ) == {
        "url": {"Fn::Sub": "https://api.${AWS::Region}"},
        "function": {"Fn::GetAtt": ["Worker", "Arn"]},
        "uri": {"Fn::Sub": "${Worker.Arn}/invocations"},
        "list": [{"Ref": "Jobs"}],
    }
