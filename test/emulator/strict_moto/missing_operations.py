"""Answers for operations that moto does not implement.

moto meets an unknown operation with an HTML page, 404 or 500, which no SDK can decode and which they retry. Here tests can lay down an
answer in advance; without one the caller gets an error in its own protocol that names the operation and is not retried.
"""

import json
import threading
from dataclasses import dataclass

from strict_moto import wire
from strict_moto.call import Call
from strict_moto.wire import Answer, Complaint, Refused


@dataclass
class CannedAnswer:
    """An answer of a test. The body is sent as it is if text and as JSON otherwise; `code` makes it an error in the call's protocol."""

    service: str
    operation: str
    account: str = "*"
    region: str = "*"
    status: int = 200
    body: object = ""
    code: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.service, self.operation, self.account, self.region

    def for_call(self, call: Call) -> Answer:
        if self.code:
            return wire.error(call, self.status, self.code, str(self.body))
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Answer(self.status, text.encode(), [wire.content_type(call.protocol)])


class CannedAnswers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, str, str], CannedAnswer] = {}

    def add(self, answer: dict) -> None:
        canned = CannedAnswer(**answer)
        with self._lock:
            self._answers[canned.key] = canned

    def remove(self, answer: dict) -> None:
        with self._lock:
            self._answers.pop(CannedAnswer(**answer).key, None)

    def find(self, call: Call) -> Answer | None:
        """The most specific answer laid down for the call's account and region."""
        with self._lock:
            for account, region in ((call.account, call.region), (call.account, "*"), ("*", call.region), ("*", "*")):
                canned = self._answers.get((call.service, call.operation, account, region))
                if canned is not None:
                    return canned.for_call(call)
        return None


def looks_missing(call: Call, answer: Answer) -> bool:
    """Whether moto's answer is one of its ways to say that it has no such operation."""
    if answer.body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return True
    return answer.status == 404 and not answer.body and call.method != "HEAD"


def unsupported(call: Call) -> Answer:
    message = f"the emulator does not implement {call.name or call.service}"
    return wire.refusal(call, Refused(Complaint.UNSUPPORTED, message))
