"""Faults that tests ask for: throttling, server errors, nonsense, silence and broken connections."""

import socket
import threading
import time
from dataclasses import dataclass

from strict_moto.call import Call
from strict_moto.wire import Answer, Complaint, Refused, content_type, refusal

KINDS = {"throttle", "error500", "garbage", "reset", "hang", "delay"}


class Disconnected(Exception):
    """The connection is gone; there is nobody to answer."""


@dataclass
class Fault:
    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    account: str = "*"
    times: int = 0  # how often it strikes; 0 for ever
    seconds: float = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r}, want one of {', '.join(sorted(KINDS))}")

    def concerns(self, call: Call) -> bool:
        wanted = (self.service, self.operation, self.region, self.account)
        actual = (call.service, call.operation, call.region, call.account)
        return all(want in ("*", "", have) for want, have in zip(wanted, actual, strict=True))


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, rules: list[dict]) -> None:
        faults = [Fault(**rule) for rule in rules]
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        with self._lock:
            self._faults = []

    def take(self, call: Call) -> Fault | None:
        """The first fault that concerns the call, one use of which is thereby spent."""
        with self._lock:
            fault = next((each for each in self._faults if each.concerns(call)), None)
            if fault is not None and fault.times > 0:
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
            return fault


def strike(fault: Fault, call: Call, environ: dict) -> Answer | None:
    """The faulty answer; None after a mere delay, when the call goes on."""
    if fault.kind in ("hang", "delay"):
        time.sleep(fault.seconds)
    match fault.kind:
        case "delay":
            return None
        case "throttle":
            return refusal(call, Refused(Complaint.THROTTLED, "Rate exceeded"))
        case "error500":
            return refusal(call, Refused(Complaint.INTERNAL, "An internal error occurred"))
        case "garbage":
            return Answer(200, b"\x00<{[ this is neither JSON nor XML", [content_type(call.protocol)])
        case _:
            _hang_up(environ)
            raise Disconnected


def _hang_up(environ: dict) -> None:
    """Closes the connection under the server's feet: the client sees it end before any answer."""
    try:
        environ["strict_moto.socket"].shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the client was quicker
