"""Which resource a call is about, as policies name it.

Only for the services in which a deployment's own roles are as narrow as a table or a bucket. For all else the resource is not known,
and policies decides by the action alone.
"""

import html
import io
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from moto.kms.models import kms_backends

if TYPE_CHECKING:
    from strict_moto.call import Call

def of(call: "Call", environ: dict, parameters: dict) -> list[str] | None:
    """The ARNs, mostly one, or None if they are not known."""
    if call.service == "s3" and call.operation == "DeleteObjects":
        return _objects(environ)
    if call.service == "events" and call.operation == "PutEvents":
        return _buses(call, parameters)
    arn = _one(call, environ, parameters)
    return None if arn is None else [arn]


def _one(call: "Call", environ: dict, parameters: dict) -> str | None:
    match call.service:
        case "dynamodb":
            return _table(call, parameters)
        case "sqs":
            return _queue(call, parameters or call.form)
        case "cloudformation" if "StackName" in call.form:
            name = call.form["StackName"]
            return name if name.startswith("arn:") else f"arn:aws:cloudformation:{call.region}:{call.account}:stack/{name}/*"
        case "sns":
            return call.form.get("TopicArn") or call.form.get("TargetArn")
        case "kms":
            return _key(call, parameters)
        case "s3":
            path = unquote(environ.get("PATH_INFO", "")).strip("/")
            return f"arn:aws:s3:::{path}" if path else None
    return None


def _objects(environ: dict) -> list[str]:
    """Each object that is deleted at once with others."""
    bucket = unquote(environ.get("PATH_INFO", "")).strip("/")
    keys = re.findall(r"<Key>(.*?)</Key>", _body(environ).decode("utf-8", "replace"), re.DOTALL)
    return [f"arn:aws:s3:::{bucket}/{html.unescape(key)}" for key in keys]


def _buses(call: "Call", parameters: dict) -> list[str]:
    """The bus of each event; without a word it is the default one."""
    names = {each.get("EventBusName") or "default" for each in parameters.get("Entries", [])}
    return [n if n.startswith("arn:") else f"arn:aws:events:{call.region}:{call.account}:event-bus/{n}" for n in sorted(names)]


def _body(environ: dict) -> bytes:
    """The body, which is then put back for moto to read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def parameters_of(environ: dict) -> dict:
    """The parameters of a JSON body."""
    if "json" not in environ.get("CONTENT_TYPE", ""):
        return {}
    try:
        parameters = json.loads(_body(environ))
    except ValueError:
        return {}
    return parameters if isinstance(parameters, dict) else {}


def _table(call: "Call", parameters: dict) -> str | None:
    """A table, or its index; a batch over several tables is not worked out."""
    tables = [parameters["TableName"]] if "TableName" in parameters else list(parameters.get("RequestItems", {}))
    if len(tables) != 1:
        return None
    (table,) = tables
    arn = table if table.startswith("arn:") else f"arn:aws:dynamodb:{call.region}:{call.account}:table/{table}"
    return f"{arn}/index/{parameters['IndexName']}" if "IndexName" in parameters else arn


def _queue(call: "Call", parameters: dict) -> str | None:
    url = re.search(r"/(\d{12})/([^/]+)$", parameters.get("QueueUrl", ""))
    return f"arn:aws:sqs:{call.region}:{url[1]}:{url[2]}" if url else None


def _key(call: "Call", parameters: dict) -> str | None:
    """Policies name keys, never aliases."""
    key = parameters.get("KeyId", "")
    if "alias/" in key:
        alias = "alias/" + key.rpartition("alias/")[2]
        key = kms_backends[call.account][call.region].get_key_id_from_alias(alias) or ""
    if not key or key.startswith("arn:"):
        return key or None
    return f"arn:aws:kms:{call.region}:{call.account}:key/{key}"
