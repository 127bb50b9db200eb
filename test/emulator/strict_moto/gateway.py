"""The WSGI application: every request is recognised, judged, perhaps made to fail, and only then handed to moto."""

import sys
import threading
import traceback
from collections import deque
from http import HTTPStatus

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from strict_moto import control, faults, missing_operations, wire
from strict_moto.access import Guard
from strict_moto.call import Call, identify
from strict_moto.faults import Faults
from strict_moto.missing_operations import CannedAnswers
from strict_moto.wire import Answer, Refused


class Calls:
    """What was called and how it ended, the newest hundred thousand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[dict] = deque(maxlen=100_000)

    def add(self, call: Call, outcome: str) -> None:
        record = {
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "account": call.account,
            "outcome": outcome,
        }
        with self._lock:
            self._calls.append(record)

    def all(self) -> list[dict]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


class Gateway:
    def __init__(self, enforce: bool = True) -> None:
        self.enforce = enforce
        self.guard = Guard()
        self.faults = Faults()
        self.answers = CannedAnswers()
        self.calls = Calls()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict, start_response) -> list[bytes]:
        if environ["PATH_INFO"].startswith(control.PREFIX):
            return _send(control.handle(self, environ), start_response)
        call = identify(environ)
        if call is None:
            return self._moto(environ, start_response)
        try:
            answer, outcome = self._answer(call, environ)
        except faults.Disconnected:
            self.calls.add(call, "disconnected")
            return _send(Answer(500, b""), start_response)  # never arrives
        self.calls.add(call, outcome)
        return _send(answer, start_response)

    def _answer(self, call: Call, environ: dict) -> tuple[Answer, str]:
        fault = self.faults.take(call)
        if fault is not None:
            answer = faults.strike(fault, call, environ)
            if answer is not None:
                return answer, fault.kind
        if self.enforce:
            try:
                self.guard.check(call)
            except Refused as refused:
                return wire.refusal(call, refused), "denied"
        canned = self.answers.find(call)
        if canned is not None:
            return canned, "canned"
        answer = self._ask_moto(call, environ)
        if answer is None or missing_operations.looks_missing(call, answer):
            return missing_operations.unsupported(call), "unsupported"
        return answer, "ok" if answer.status < 400 else "error"

    def _ask_moto(self, call: Call, environ: dict) -> Answer | None:
        """moto's answer, or None if it broke: it raises for what it does not implement, and for its own faults.

        A fault of moto is reported as unsupported too, since retrying it would not help; the trace on stderr tells the two apart.
        """
        started: list = []
        try:
            body = b"".join(self._moto(environ, lambda status, headers, exc_info=None: started.extend((status, headers))))
        except Exception as error:
            if not isinstance(error, NotImplementedError):
                print(f"emulator: moto broke on {call.name}", file=sys.stderr)
                traceback.print_exc(limit=-3)
            return None
        status, headers = started
        return Answer(int(status.split()[0]), body, headers)


def _send(answer: Answer, start_response) -> list[bytes]:
    headers = list(answer.headers)
    if not any(name.lower() == "content-length" for name, _ in headers):  # HeadObject's tells the object's length, not the body's
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]
