"""Who calls, and whether they may.

moto lets every key do everything and every role be assumed. Here a key must exist, a session must carry its token and not be expired,
policies decide each action, and a role's trust policy decides who assumes it.

Two ways around are meant for fixtures: a call with the header x-moto-account-id acts as that account itself and is above all control;
a key that does not look like AWS's ("test") acts as the root user of moto's default account.
"""

import json
import re
from dataclasses import dataclass

from moto.core.utils import utcnow
from moto.iam.models import IAMBackend, iam_backends
from moto.sts.models import sts_backends

from strict_moto import policies, resource_policies
from strict_moto.actions import action
from strict_moto.call import Call
from strict_moto.policies import Decision, Request
from strict_moto.wire import Complaint, Refused

AWS_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}")

# Calls that tell a caller only who they are need no permission.
NEED_NO_PERMISSION = {"sts:GetCallerIdentity"}


@dataclass
class Caller:
    arn: str
    account: str
    identity: list[dict] | None  # policies; None for a root user, whom no identity policy limits
    session: list[dict] | None = None  # a session's own policy narrows the identity's
    is_session: bool = False


class Guard:
    """Decides calls by the policies stored in moto's IAM and the service control policies given to it."""

    def __init__(self) -> None:
        self._scps: dict[str, dict] = {}

    def set_scp(self, account: str, policy: dict) -> None:
        policies.check_understood(policy)
        self._scps[account] = policy

    def clear_scp(self, account: str) -> None:
        self._scps.pop(account, None)

    def check(self, call: Call) -> None:
        """Raises Refused for a call that AWS would not let through."""
        if call.seeding:
            return
        try:
            caller = _caller(call)
            if action(call) in NEED_NO_PERMISSION:
                return
            for resource in call.resources or [None]:
                self._check_policies(call, caller, _request(call, caller, resource))
            if call.name == "sts:AssumeRole":
                _check_assume_role(call, caller)
        except policies.NotUnderstood as unknown:
            raise Refused(Complaint.UNSUPPORTED, f"the emulator does not evaluate {unknown}") from unknown

    def _check_policies(self, call: Call, caller: Caller, request: Request) -> None:
        """In AWS's order: an explicit deny anywhere decides, then each kind of policy present must allow."""
        name = request.action
        organisation = policies.evaluate([self._scps.get(caller.account, {})], request)
        if organisation is Decision.DENIED:
            raise denied(caller, request, "with an explicit deny in a service control policy")
        if caller.identity is None:
            return
        own = resource_policies.of(call, request.resource)
        resource = Decision.SILENT if own is None else policies.evaluate([own], request, lambda statement: _names(statement, caller))
        if resource is Decision.DENIED:
            raise denied(caller, request, "with an explicit deny in a resource-based policy")
        identity = policies.evaluate(caller.identity, request)
        if identity is Decision.DENIED:
            raise denied(caller, request, "with an explicit deny in an identity-based policy")
        session = Decision.ALLOWED if caller.session is None else policies.evaluate(caller.session, request)
        if session is Decision.DENIED:
            raise denied(caller, request, "with an explicit deny in a session policy")
        if identity is Decision.SILENT:
            raise denied(caller, request, f"because no identity-based policy allows the {name} action")
        if session is Decision.SILENT:
            raise denied(caller, request, f"because no session policy allows the {name} action")
        if call.service == "kms" and own is not None and resource is Decision.SILENT:
            raise denied(caller, request, f"because no resource-based policy allows the {name} action")


def denied(caller: Caller, request: Request, because: str) -> Refused:
    what = f"{request.action} on resource: {request.resource or '*'}"
    return Refused(Complaint.DENIED, f"User: {caller.arn} is not authorized to perform: {what} {because}".rstrip())


def _request(call: Call, caller: Caller, resource: str | None = None) -> Request:
    context = call.context | {
        "aws:requestedregion": call.region,
        "aws:principalarn": _principal_arn(caller.arn),
        "aws:principalaccount": caller.account,
        "aws:securetransport": "true",  # the emulator is only ever called over loopback
    }
    if call.name == "sts:AssumeRole":
        resource = call.form.get("RoleArn", "")
        if "ExternalId" in call.form:
            context["sts:externalid"] = call.form["ExternalId"]
        context["sts:rolesessionname"] = call.form.get("RoleSessionName", "")
    return Request(action(call), resource, context)


def _principal_arn(caller_arn: str) -> str:
    """Policies see a session as its role."""
    return re.sub(r"^arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", r"arn:aws:iam::\1:role/\2", caller_arn)


def _caller(call: Call) -> Caller:
    iam = iam_backends[call.account]["aws"]
    if not AWS_KEY.fullmatch(call.access_key):
        return Caller(f"arn:aws:iam::{call.account}:root", call.account, identity=None)
    key = iam.access_keys.get(call.access_key)
    if key is not None and key.role_arn:
        return _session(call, iam)
    user = _user_of_key(iam, call.access_key)
    if user is None:
        raise Refused(Complaint.INVALID_TOKEN, "The security token included in the request is invalid.")
    groups = iam.get_groups_for_user(user.name)
    documents = [each for holder in (user, *groups) for each in _documents(holder)]
    return Caller(user.arn, call.account, documents)


def _user_of_key(iam: IAMBackend, access_key_id: str):
    """The user with this key, if it is active. moto's own index of keys still holds deleted ones."""
    for user in list(iam.users.values()):
        if any(key.access_key_id == access_key_id and key.status == "Active" for key in user.access_keys):
            return user
    return None


def _session(call: Call, iam: IAMBackend) -> Caller:
    session = sts_backends[call.account]["aws"].get_assumed_role_from_access_key(call.access_key)
    if call.session_token != session.session_token:
        raise Refused(Complaint.INVALID_TOKEN, "The security token included in the request is invalid.")
    if session.expiration < utcnow():
        raise Refused(Complaint.EXPIRED_TOKEN, "The security token included in the request is expired")
    role = _role(session.role_arn)
    return Caller(
        session.arn,
        call.account,
        identity=_documents(role) if role else [],  # the sessions of a deleted role can do nothing
        session=[json.loads(session.policy)] if session.policy else None,
        is_session=True,
    )


def _documents(holder) -> list[dict]:
    """The inline and attached policies of a user, group or role."""
    inline = [policies.document(each) for each in holder.policies.values()]
    attached = [
        policies.document(version.document)
        for policy in holder.managed_policies.values()
        for version in policy.versions
        if version.is_default
    ]
    return inline + attached


def _role(arn: str):
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    roles = iam_backends[account]["aws"].get_roles() if re.fullmatch(r"\d{12}", account) else []
    return next((role for role in roles if role.arn == arn), None)


def _check_assume_role(call: Call, caller: Caller) -> None:
    """Everything moto's AssumeRole takes on trust: the parameters, the role, its trust policy and its maximal duration."""
    _check_session_name(call.form.get("RoleSessionName", ""))
    _check_session_policy(call.form)
    request = _request(call, caller)
    role = _role(request.resource)
    # AWS does not tell a role that does not exist from one that does not trust the caller.
    if role is None or not _trusts(role, caller, request):
        raise denied(caller, request, "")
    _check_duration(int(call.form.get("DurationSeconds", 3600)), role, caller)


def _check_session_name(name: str) -> None:
    constraints = {
        r"Member must satisfy regular expression pattern: [\w+=,.@-]*": re.fullmatch(r"[\w+=,.@-]*", name, re.ASCII),
        "Member must have length greater than or equal to 2": len(name) >= 2,
        "Member must have length less than or equal to 64": len(name) <= 64,
    }
    for constraint, holds in constraints.items():
        if not holds:
            raise _invalid(f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: {constraint}")


def _check_session_policy(form: dict[str, str]) -> None:
    if any(name.startswith("PolicyArns.") for name in form):
        raise Refused(Complaint.UNSUPPORTED, "the emulator does not evaluate session policies given by ARN")
    if "Policy" not in form:
        return
    try:
        policies.check_understood(json.loads(form["Policy"]))
    except json.JSONDecodeError as error:
        raise Refused(Complaint.MALFORMED_POLICY, "Syntax errors in policy.") from error


def _check_duration(seconds: int, role, caller: Caller) -> None:
    if seconds < 900:
        raise _invalid(
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 900"
        )
    if seconds > int(role.max_session_duration or 3600):
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if caller.is_session and seconds > 3600:
        raise _invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")


def _invalid(message: str) -> Refused:
    return Refused(Complaint.INVALID, message)


def _trusts(role, caller: Caller, request: Request) -> bool:
    trust = policies.document(role.assume_role_policy_document)
    # A trust policy has no Resource: it is about the role it belongs to.
    return policies.evaluate([trust], request, lambda statement: _names(statement, caller)) is Decision.ALLOWED


def _names(statement: dict, caller: Caller) -> bool:
    """Whether the caller is among a statement's principals: by account, user, role or session, or by everyone."""
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    names = {"*", caller.account, f"arn:aws:iam::{caller.account}:root", caller.arn, _principal_arn(caller.arn)}
    return not names.isdisjoint(policies.as_list(principal.get("AWS", [])))
