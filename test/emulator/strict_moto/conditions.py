"""What conditions can ask about a call: the values of the keys that policies here use, as AWS documents them.

A key that is not known here is an error and never a guess: to AWS a key without a value makes a plain comparison false and a negated
one true, so that a policy with a misspelt key would look as if it worked.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends

if TYPE_CHECKING:
    from strict_moto.call import Call

Values = str | list[str]

# Each key by itself, or the beginning of a family's. Those of services only stand in calls of theirs.
KNOWN = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    "aws:principalaccount",
    "aws:principalarn",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceaccount",  # of requests that a service makes for somebody, of which the emulator makes none
    "aws:sourcearn",
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    "sts:externalid",
    "sts:rolesessionname",
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    "dynamodb:leadingkeys",
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    "events:source",
    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    "kms:encryptioncontextkeys",
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    "s3:if-none-match",
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
    "s3:prefix",
}
FAMILIES = ("kms:encryptioncontext:", "aws:resourcetag/")

# In the context of calls of which the tags of what they are about are read: those of KMS alone.
TAGS_ARE_READ = "aws:resourcetag/"


def is_known(key: str) -> bool:
    key = key.lower()
    return key in KNOWN or key.startswith(FAMILIES)


def is_unread(key: str, context: dict[str, Values]) -> bool:
    """Whether a key may have a value that nobody looked up."""
    return key.lower().startswith("aws:resourcetag/") and TAGS_ARE_READ not in context


def of(call: "Call", environ: dict, parameters: dict) -> dict[str, Values]:
    """The values that the call itself brings along, by key in lower case; those of the caller are access's."""
    match call.service:
        case "dynamodb":
            return _present({"dynamodb:leadingkeys": _leading_keys(call, parameters)})
        case "events":
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html: an ArrayOfString
            return _present({"events:source": [each.get("Source", "") for each in parameters.get("Entries", [])] or None})
        case "kms":
            return _encryption_context(parameters) | _tags_of_key(call)
        case "s3":
            query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
            return _present({"s3:if-none-match": environ.get("HTTP_IF_NONE_MATCH"), "s3:prefix": query.get("prefix", [None])[0]})
    return {}


def _present(values: dict) -> dict[str, Values]:
    return {key: value for key, value in values.items() if value is not None}


def _encryption_context(parameters: dict) -> dict[str, Values]:
    """A pair of the context is a key of its own. Of ReEncrypt the destination's is asked by another name, which nobody uses here."""
    pairs = parameters.get("EncryptionContext") or parameters.get("SourceEncryptionContext") or {}
    values: dict[str, Values] = {f"kms:encryptioncontext:{name.lower()}": value for name, value in pairs.items()}
    if pairs:
        values["kms:encryptioncontextkeys"] = list(pairs)
    return values


def _tags_of_key(call: "Call") -> dict[str, Values]:
    """https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html"""
    values: dict[str, Values] = {TAGS_ARE_READ: ""}
    backend = kms_backends[call.account][call.region]
    for arn in call.resources or []:
        key = arn.rpartition("/")[2]
        for tag in backend.list_resource_tags(key)["Tags"] if key in backend.keys else []:
            values[f"aws:resourcetag/{tag['TagKey'].lower()}"] = tag["TagValue"]
    return values


def _leading_keys(call: "Call", parameters: dict) -> list[str] | None:
    """The partition keys of the items that a call names; a scan names none, and then the key has no value."""
    found: list[str] = []
    for table, items in _items(parameters):
        attribute = _partition_attribute(call, table, parameters.get("IndexName"))
        if attribute is None:
            return None
        found += [next(iter(item[attribute].values())) for item in items if attribute in item]
        if "KeyConditionExpression" in parameters:
            found += _queried(attribute, parameters)
    return found or None


def _items(parameters: dict) -> list[tuple[str, list[dict]]]:
    """Tables with what is named of their items: whole ones, or their keys."""
    if "TableName" in parameters:
        return [(parameters["TableName"], [parameters[part] for part in ("Key", "Item") if part in parameters])]
    if "TransactItems" in parameters:
        parts = [part for each in parameters["TransactItems"] for part in each.values()]
        return [(part["TableName"], [part.get("Key") or part.get("Item") or {}]) for part in parts]
    batches = []
    for table, of_table in parameters.get("RequestItems", {}).items():
        if isinstance(of_table, dict):
            batches.append((table, of_table.get("Keys", [])))
        else:
            requests = [each.get("PutRequest") or each.get("DeleteRequest") or {} for each in of_table]
            batches.append((table, [each.get("Item") or each.get("Key") or {} for each in requests]))
    return batches


def _partition_attribute(call: "Call", table: str, index: str | None) -> str | None:
    known = dynamodb_backends[call.account][call.region].tables.get(table.rpartition("/")[2])
    if known is None:
        return None
    schema = known.schema if index is None else next((i.schema for i in known.indexes + known.global_indexes if i.name == index), [])
    return next((key["AttributeName"] for key in schema if key["KeyType"] == "HASH"), None)


def _queried(attribute: str, parameters: dict) -> list[str]:
    names = {"#" + re.escape(alias[1:]): name for alias, name in (parameters.get("ExpressionAttributeNames") or {}).items()}
    spelled = [re.escape(attribute), *(alias for alias, name in names.items() if name == attribute)]
    found = re.search(rf"(?:^|[\s(])(?:{'|'.join(spelled)})\s*=\s*(:\w+)", parameters["KeyConditionExpression"])
    value = (parameters.get("ExpressionAttributeValues") or {}).get(found[1]) if found else None
    return [next(iter(value.values()))] if value else []
