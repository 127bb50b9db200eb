"""Recognises which AWS operation an HTTP request is.

Nothing here depends on what moto implements: operations come from botocore's models, so a call to a service that moto has never
heard of is still named, authorised, counted and answered with a proper error.
"""

import io
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl

from moto.iam.models import get_account_id_from

from strict_moto import conditions, resources, routes

# Signatures name a service by its signing name. Where botocore calls the service otherwise, or several services share one signing
# name, the candidates stand here, the most likely first.
SERVICES_OF_SIGNING_NAME = {
    "access-analyzer": ["accessanalyzer"],
    "airflow": ["mwaa"],
    "aoss": ["opensearchserverless"],
    "apigateway": ["apigateway", "apigatewayv2"],
    "bedrock": ["bedrock", "bedrock-agent", "bedrock-runtime", "bedrock-agent-runtime"],
    "cassandra": ["keyspaces"],
    "cloudcontrolapi": ["cloudcontrol"],
    "cloudhsm": ["cloudhsmv2"],
    "dynamodb": ["dynamodb", "dynamodbstreams"],
    "elasticfilesystem": ["efs"],
    "elasticloadbalancing": ["elbv2", "elb"],
    "elasticmapreduce": ["emr"],
    "es": ["opensearch", "es"],
    "execute-api": ["apigatewaymanagementapi"],
    "greengrass": ["greengrassv2", "greengrass"],
    "iotdata": ["iot-data"],
    "kinesisanalytics": ["kinesisanalyticsv2", "kinesisanalytics"],
    "lex": ["lexv2-models", "lex-models"],
    "mobiletargeting": ["pinpoint"],
    "monitoring": ["cloudwatch"],
    "neptune-db": ["neptunedata"],
    "rds": ["rds", "neptune", "docdb"],
    "s3": ["s3", "s3control"],
    "s3-outposts": ["s3outposts"],
    "servicequotas": ["service-quotas"],
    "ses": ["ses", "sesv2"],
    "sso": ["sso-admin"],
    "states": ["stepfunctions"],
    "tagging": ["resourcegroupstaggingapi"],
    "timestream": ["timestream-write", "timestream-query"],
}

# elb and elbv2 are one endpoint and one signing name; only the API version tells them apart.
SERVICE_OF_VERSION = {"2012-06-01": "elb", "2015-12-01": "elbv2"}

REST_XML_SERVICES = {"s3control", "route53", "cloudfront"}

CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<signing>[^/]+)/aws4_request")


@dataclass
class Call:
    """One request to AWS, as the caller meant it."""

    service: str  # botocore's name, for example "elbv2"
    operation: str
    region: str
    account: str  # the account whose resources are meant
    protocol: str  # query, ec2, json, rest-json, rest-xml, or s3 whose errors are a case of their own
    signing_name: str
    method: str
    access_key: str
    session_token: str = ""
    seeding: bool = False  # a test fixture acting as the account itself, above all access control
    form: dict[str, str] = field(default_factory=dict)  # parameters of the query protocol
    resources: list[str] | None = None  # the ARNs of what the call is about, where they are known
    context: dict = field(default_factory=dict)  # values of condition keys that the call brings along

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


def identify(environ: dict) -> Call | None:
    """The AWS call that a WSGI request is, or None for anything unsigned (moto's own pages, web identity)."""
    presigned = {name.lower(): values[0] for name, values in _query(environ).items() if name.lower().startswith("x-amz-")}
    signature = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION") or f"Credential={presigned.get('x-amz-credential', '')}")
    if signature is None:
        return None
    signing_name = signature["signing"].lower()
    candidates = SERVICES_OF_SIGNING_NAME.get(signing_name, [signing_name])
    form = _form(environ)
    service, operation, protocol = _operation(environ, candidates, form)
    account = environ.get("HTTP_X_MOTO_ACCOUNT_ID")
    call = Call(
        service=service,
        operation=operation,
        region=signature["region"],
        account=account or get_account_id_from(signature["key"]),
        protocol=protocol,
        signing_name=signing_name,
        method=environ["REQUEST_METHOD"],
        access_key=signature["key"],
        session_token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or presigned.get("x-amz-security-token", ""),
        seeding=account is not None,
        form=form,
    )
    parameters = resources.parameters_of(environ)
    call.resources = resources.of(call, environ, parameters)
    call.context = conditions.of(call, environ, parameters)
    return call


def _operation(environ: dict, candidates: list[str], form: dict[str, str]) -> tuple[str, str, str]:
    """Service, operation and protocol: each protocol states its operation elsewhere."""
    first = candidates[0]
    if "Action" in form:
        service = SERVICE_OF_VERSION.get(form.get("Version", ""), first)
        return service, form["Action"], "ec2" if service == "ec2" else "query"
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        prefix, _, operation = target.rpartition(".")
        return ("dynamodbstreams" if prefix.startswith("DynamoDBStreams") else first), operation, "json"
    path = environ.get("PATH_INFO", "")
    rpc = re.fullmatch(r"/service/[^/]+/operation/([^/]+)", path)
    if rpc:  # smithy's rpc-v2-cbor, which moto does not speak; named so that the refusal says what was asked
        return first, rpc[1], "json"
    service, operation = routes.find(candidates, environ["REQUEST_METHOD"], _raw_path(environ), _query(environ))
    if service == "s3":
        return service, operation, "s3"
    return service, operation, "rest-xml" if service in REST_XML_SERVICES else "rest-json"


def _form(environ: dict) -> dict[str, str]:
    """The parameters of a form body, which is then put back for moto to read again."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _query(environ: dict) -> dict[str, list[str]]:
    return parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _raw_path(environ: dict) -> str:
    """The path as it was sent: an ARN inside a path has its slashes escaped, which PATH_INFO no longer shows."""
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    return sent.partition("?")[0] if sent else environ.get("PATH_INFO", "")
