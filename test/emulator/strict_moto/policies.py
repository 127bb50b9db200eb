"""The policy language, as far as tests need it.

Which resource a call touches is worked out for a few services only (see resources). Where it is not known, an Allow counts whatever its
Resource, and a Deny counts only if it covers every resource. Conditions are evaluated in full for the operators below; an operator or a
condition key unknown here is an error, never a guess.
"""

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from strict_moto import conditions


class Decision(Enum):
    ALLOWED = "allowed"
    DENIED = "explicit deny"
    SILENT = "no statement applies"  # which is a denial too, unless something else allows


class NotUnderstood(Exception):
    """A policy uses something this module does not evaluate."""


@dataclass
class Request:
    action: str
    resource: str | None = None  # None: not known
    context: dict[str, conditions.Values] = field(default_factory=dict)  # condition keys in lower case


Applies = Callable[[dict], bool]


def evaluate(documents: list[dict], request: Request, applies: Applies = lambda statement: True) -> Decision:
    """What the documents together say. `applies` is a further test of a statement, such as its Principal."""
    decision = Decision.SILENT
    for statement in _statements(documents):
        if not (_action_matches(statement, request.action) and _resource_matches(statement, request.resource)):
            continue
        if not (applies(statement) and _conditions_hold(statement, request.context)):
            continue
        if statement["Effect"] == "Deny":
            return Decision.DENIED
        decision = Decision.ALLOWED
    return decision


def document(policy: str | dict) -> dict:
    return json.loads(policy) if isinstance(policy, str) else policy


def as_list(value) -> list:
    """Policies may write a list of one as the value itself."""
    return value if isinstance(value, list) else [value]


def _statements(documents: list[dict]) -> Iterator[dict]:
    for each in documents:
        yield from as_list(each.get("Statement", []))


def _action_matches(statement: dict, action: str) -> bool:
    if "NotAction" in statement:
        return not _matches_any(statement["NotAction"], action)
    return _matches_any(statement.get("Action", []), action)


def _resource_matches(statement: dict, resource: str | None) -> bool:
    if resource is None:
        everything = "NotResource" not in statement and "*" in as_list(statement.get("Resource", "*"))
        return everything or statement["Effect"] == "Allow"
    if "NotResource" in statement:
        return not _matches_any(statement["NotResource"], resource)
    return _matches_any(statement.get("Resource", "*"), resource)


def _matches_any(patterns: str | list, value: str) -> bool:
    return any(_like(pattern.lower(), value.lower()) for pattern in as_list(patterns))


def _like(pattern: str, value: str) -> bool:
    """AWS knows * and ?, but no [sets]."""
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), value) is not None


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


OPERATORS = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal_ignoring_case,
}


def check_understood(policy: dict) -> None:
    """Raises NotUnderstood for a policy that could not be evaluated later."""
    for statement in _statements([policy]):
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise NotUnderstood(f"Effect {statement.get('Effect')!r}")
        for operator, keys in statement.get("Condition", {}).items():
            _operator(operator)
            for key in keys:
                _known(key)


def _known(key: str) -> None:
    if not conditions.is_known(key):
        raise NotUnderstood(f"condition key {key}")


def _conditions_hold(statement: dict, context: dict[str, conditions.Values]) -> bool:
    return all(
        _condition_holds(operator, key, as_list(wanted), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _condition_holds(operator: str, key: str, wanted: list, context: dict[str, conditions.Values]) -> bool:
    _known(key)
    if conditions.is_unread(key, context):
        raise NotUnderstood(f"condition key {key} of what is not a key of KMS")
    value = context.get(key.lower())
    if operator == "Null":
        return any(str(each).lower() == ("true" if value is None else "false") for each in wanted)
    quantifier, _, name = operator.rpartition(":")
    matches, negated, if_exists = _operator(operator)

    def holds(each: str) -> bool:
        return negated != any(matches(str(pattern), each) for pattern in wanted)

    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    if quantifier:
        values = [] if value is None else as_list(value)
        if quantifier == "ForAllValues":  # also of no values at all
            return all(holds(each) for each in values)
        return any(holds(each) for each in values) or if_exists and not values
    if value is None:  # without a value a negated comparison is true and a plain one false, unless it says IfExists
        return negated or if_exists
    if isinstance(value, list):
        raise NotUnderstood(f"{key}, which has several values, without ForAllValues or ForAnyValue")
    return holds(value)


def _operator(name: str) -> tuple[Callable[[str, str], bool], bool, bool]:
    """The comparison behind an operator's name, whether it is negated and whether it ends in IfExists."""
    quantifier, _, name = name.rpartition(":")
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise NotUnderstood(f"condition operator {quantifier}:{name}")
    if name == "Null" and not quantifier:
        return _equal, False, False
    if_exists = name.endswith("IfExists")
    base = name.removesuffix("IfExists")
    plain = re.sub("^(String|Arn)Not", r"\1", base)
    if plain not in OPERATORS:
        raise NotUnderstood(f"condition operator {name}")
    return OPERATORS[plain], plain != base, if_exists
