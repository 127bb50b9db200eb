"""The /emulator/ endpoints, through which tests steer the emulator and look into it.

    GET    /emulator/ready            the emulator answers
    GET    /emulator/calls            every AWS call so far; DELETE forgets them
    POST   /emulator/faults           a list of fault rules to add (faults.Fault); DELETE ends all faults
    POST   /emulator/answers          an answer for an operation (missing_operations.CannedAnswer); DELETE takes that one back
    POST   /emulator/scp/{account}    the account's service control policy; DELETE lifts it
    POST   /emulator/age/{user}       makes an IAM user and its keys older: {"account", "days"}
"""

import json
from typing import TYPE_CHECKING

from strict_moto import age
from strict_moto.policies import NotUnderstood
from strict_moto.wire import Answer

if TYPE_CHECKING:
    from strict_moto.gateway import Gateway

PREFIX = "/emulator/"


def handle(gateway: "Gateway", environ: dict) -> Answer:
    method = environ["REQUEST_METHOD"]
    resource, _, name = environ["PATH_INFO"].removeprefix(PREFIX).partition("/")
    try:
        match method, resource:
            case "GET", "ready":
                return _json(200, {"ready": True, "enforce": gateway.enforce})
            case "GET", "calls":
                return _json(200, gateway.calls.all())
            case "DELETE", "calls":
                gateway.calls.clear()
            case "POST", "faults":
                gateway.faults.add(_body(environ))
            case "DELETE", "faults":
                gateway.faults.clear()
            case "POST", "answers":
                gateway.answers.add(_body(environ))
            case "DELETE", "answers":
                gateway.answers.remove(_body(environ))
            case "POST", "scp":
                gateway.guard.set_scp(name, _body(environ))
            case "DELETE", "scp":
                gateway.guard.clear_scp(name)
            case "POST", "age":
                age.user(name, **_body(environ))
            case _:
                return _json(404, {"error": f"no {method} {environ['PATH_INFO']}"})
    except (ValueError, TypeError, AttributeError, KeyError, NotUnderstood) as error:  # a test wrote a rule that makes no sense
        return _json(400, {"error": str(error)})
    return _json(200, {})


def _body(environ: dict):
    return json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), [("Content-Type", "application/json")])
