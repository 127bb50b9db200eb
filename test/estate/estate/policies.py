"""Policy documents that several sample resources share."""

import json

EVERYONE = "*"


def allow(principal: str | dict, action: str | list[str], resource: str | list[str], condition: dict | None = None) -> str:
    """A resource policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return document(statement)


def deny_plain_http(action: str, resource: str | list[str]) -> dict:
    """The statement with which a careful owner demands TLS. {"AWS": "*"} means "*", which moto's PutBucketLogging trips over."""
    return {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust_service(service: str, for_account: str = "") -> str:
    """The trust policy of a role that an AWS service assumes, on behalf of one account only or of any."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if for_account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": for_account}}
    return document(statement)
