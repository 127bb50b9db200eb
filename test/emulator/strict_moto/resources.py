"""Which resource a call is about, as policies name it.

Only for the services in which a deployment's own roles are as narrow as a table or a bucket. For all else the resource is not known,
and policies decides by the action alone.
"""

import io
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from moto.kms.models import kms_backends

if TYPE_CHECKING:
    from strict_moto.call import Call

# About several objects at once; what each needs is not worked out.
S3_BATCHES = {"DeleteObjects"}


def of(call: "Call", environ: dict) -> str | None:
    """The ARN, or None if it is not known."""
    match call.service:
        case "dynamodb":
            return _table(call, _json(environ))
        case "sqs":
            return _queue(call, _json(environ) or call.form)
        case "cloudformation" if "StackName" in call.form:
            name = call.form["StackName"]
            return name if name.startswith("arn:") else f"arn:aws:cloudformation:{call.region}:{call.account}:stack/{name}/*"
        case "sns":
            return call.form.get("TopicArn") or call.form.get("TargetArn")
        case "kms":
            return _key(call, _json(environ))
        case "s3" if call.operation not in S3_BATCHES:
            path = unquote(environ.get("PATH_INFO", "")).strip("/")
            return f"arn:aws:s3:::{path}" if path else None
    return None


def _json(environ: dict) -> dict:
    """The parameters of a JSON body, which is then put back for moto to read again."""
    if "json" not in environ.get("CONTENT_TYPE", ""):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        parameters = json.loads(body)
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
