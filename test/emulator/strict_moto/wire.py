"""Errors as AWS writes them: each protocol has its own envelope, status and spelling of the same complaint."""

import json
from dataclasses import dataclass, field
from enum import Enum
from xml.sax.saxutils import escape

from strict_moto.call import Call

REQUEST_ID = "00000000-0000-4000-8000-000000000000"


@dataclass
class Answer:
    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


class Complaint(Enum):
    """What went wrong, whatever a protocol calls it. Values: (status, code) by protocol, "" for all others."""

    DENIED = {
        "ec2": (403, "UnauthorizedOperation"),
        "json": (400, "AccessDeniedException"),
        "rest-json": (403, "AccessDeniedException"),
        "": (403, "AccessDenied"),
    }
    INVALID_TOKEN = {
        "ec2": (401, "AuthFailure"),
        "json": (400, "UnrecognizedClientException"),
        "rest-json": (403, "UnrecognizedClientException"),
        "s3": (403, "InvalidAccessKeyId"),
        "": (403, "InvalidClientTokenId"),
    }
    EXPIRED_TOKEN = {
        "ec2": (400, "RequestExpired"),
        "json": (400, "ExpiredTokenException"),
        "rest-json": (403, "ExpiredTokenException"),
        "s3": (400, "ExpiredToken"),
        "": (403, "ExpiredToken"),
    }
    THROTTLED = {
        "ec2": (503, "RequestLimitExceeded"),
        "json": (400, "ThrottlingException"),
        "rest-json": (429, "ThrottlingException"),
        "s3": (503, "SlowDown"),
        "": (400, "Throttling"),
    }
    INTERNAL = {"ec2": (500, "InternalError"), "s3": (500, "InternalError"), "": (500, "InternalFailure")}
    UNSUPPORTED = {"": (400, "UnsupportedOperation")}
    INVALID = {"rest-json": (400, "ValidationException"), "json": (400, "ValidationException"), "": (400, "ValidationError")}
    MALFORMED_POLICY = {"": (400, "MalformedPolicyDocument")}


# A few services have a word of their own for a denial.
DENIED_OF_SERVICE = {"sns": "AuthorizationError"}


class Refused(Exception):
    """Raised wherever a call must not go on; the gateway writes it out in the call's protocol."""

    def __init__(self, complaint: Complaint, message: str):
        super().__init__(message)
        self.complaint = complaint
        self.message = message


def refusal(call: Call, refused: Refused) -> Answer:
    status, code = refused.complaint.value.get(call.protocol, refused.complaint.value.get(""))
    message = refused.message
    if refused.complaint is Complaint.DENIED:
        code = DENIED_OF_SERVICE.get(call.service, code)
        if call.protocol == "ec2":
            message = "You are not authorized to perform this operation. " + message
    return error(call, status, code, message)


def error(call: Call, status: int, code: str, message: str) -> Answer:
    if call.method == "HEAD":  # has no body; the SDKs then know the status only, as on AWS
        return Answer(status, b"", [content_type(call.protocol)])
    envelope = ENVELOPES.get(call.protocol, _query)
    headers = [content_type(call.protocol)]
    if call.protocol in ("json", "rest-json"):
        headers.append(("x-amzn-ErrorType", code))
    return Answer(status, envelope(code, message).encode(), headers)


def content_type(protocol: str) -> tuple[str, str]:
    types = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}
    return "Content-Type", types.get(protocol, "text/xml")


def _json(code: str, message: str) -> str:
    return json.dumps({"__type": code, "message": message})


def _query(code: str, message: str) -> str:
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )


def _ec2(code: str, message: str) -> str:
    return (
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
        f"<RequestID>{REQUEST_ID}</RequestID></Response>"
    )


def _s3(code: str, message: str) -> str:
    return (
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<RequestId>{REQUEST_ID}</RequestId><HostId>emulator</HostId></Error>"
    )


ENVELOPES = {"json": _json, "rest-json": _json, "ec2": _ec2, "s3": _s3}
