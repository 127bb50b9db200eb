"""SAM to CloudFormation, offline, and the part of it that the emulator shall make."""

import copy
import re
from math import inf
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from deployer import kinds
from deployer.kinds import Unsupported
from deployer.resolve import Resolver
from deployer.rewrite import Rewriting
from deployer.world import World

CODE_KEY = "code.zip"

# Where SAM has local paths, by type.
LOCAL_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    """samtranslator asks AWS for managed policies it does not know by itself; it knows enough."""

    def load(self) -> dict:
        return {}


class Template:
    """A template as CloudFormation gets it.

    resources   all whose condition holds, by logical id
    code        where the template says that a function's code is, by logical id
    """

    def __init__(self, path: Path, parameters: dict[str, str], world: World) -> None:
        sam = yaml_parse(path.read_text())
        self.code_bucket = f"code-{world.account}-{world.region}"
        self.code = _package(sam, f"s3://{self.code_bucket}/{CODE_KEY}")
        self.parameters = _parameters(sam, parameters)
        try:
            self._document = transform(sam, dict(self.parameters), _NoManagedPolicies())
        except InvalidDocumentException as invalid:
            raise Unsupported("; ".join([invalid.message, *(cause.message for cause in invalid.causes)])) from invalid
        self._conditions = Resolver(world, self)
        self.resources = {
            name: resource
            for name, resource in self._document["Resources"].items()
            if "Condition" not in resource or self._conditions.condition(resource["Condition"])
        }
        for name, resource in self.resources.items():
            kinds.check(name, resource["Type"])

    @property
    def conditions(self) -> dict:
        return self._document.get("Conditions", {})

    @property
    def mappings(self) -> dict:
        return self._document.get("Mappings", {})

    @property
    def outputs(self) -> dict:
        return self._document.get("Outputs", {})

    def of_type(self, kind: str) -> dict[str, dict]:
        """The properties of all resources of a type, by logical id."""
        return {name: r.get("Properties", {}) for name, r in sorted(self.resources.items()) if r["Type"] == kind}

    def aliases(self) -> dict[str, str]:
        """The functions behind the aliases that AutoPublishAlias makes."""
        return {name: alias["FunctionName"]["Ref"] for name, alias in self.of_type("AWS::Lambda::Alias").items()}

    def for_emulator(self, stand_ins: dict[str, str]) -> dict:
        """The document without what others make; where it refers to such a resource, with that one's name instead."""
        document = copy.deepcopy(self._document)
        document["Resources"] = {
            name: _without_condition(document["Resources"][name])
            for name, resource in self.resources.items()
            if kinds.is_made_by_emulator(resource["Type"])
        }
        for section in ("Conditions", "Outputs", "Transform"):  # decided here; outputs: see facts
            document.pop(section, None)
        for resource in document["Resources"].values():
            after = [name for name in _as_list(resource.pop("DependsOn", [])) if name in document["Resources"]]
            if after:
                resource["DependsOn"] = after
            _respell(resource)
        document["Resources"] = Rewriting(stand_ins, self.aliases(), self._conditions.condition).of(document["Resources"])
        return document


def _package(sam: dict, uri: str) -> dict[str, str]:
    """Replaces local code by one object in S3, as `sam package` would. Returns what the template had."""
    code = {}
    for name, resource in sam["Resources"].items():
        place = LOCAL_CODE.get(resource["Type"])
        properties = resource.setdefault("Properties", {})
        if place is None or "InlineCode" in properties:
            continue
        everybodys = sam.get("Globals", {}).get("Function", {}).get(place)
        local = properties.get(place, everybodys)
        if isinstance(local, str) and not local.startswith("s3://"):
            properties[place] = uri
            code[name] = local
    sam.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    return code


def _parameters(sam: dict, given: dict[str, str]) -> dict[str, str]:
    """The values of all parameters; CloudFormation refuses one that is unknown or has none."""
    declared = sam.get("Parameters", {})
    unknown = given.keys() - declared.keys()
    if unknown:
        raise Unsupported(f"no parameters {', '.join(sorted(unknown))}")
    values = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("Default"))
        if value is None:
            raise Unsupported(f"parameter {name} has no value")
        if parameter["Type"].startswith("AWS::SSM::"):
            raise Unsupported(f"parameter {name} is an {parameter['Type']}")
        allowed = [str(each) for each in parameter.get("AllowedValues", [])]
        if allowed and str(value) not in allowed:
            raise Unsupported(f"parameter {name} is {value!r}, allowed are {', '.join(allowed)}")
        pattern = parameter.get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, str(value)):
            raise Unsupported(f"parameter {name} is {value!r}, which does not match {pattern}")
        if parameter["Type"] == "Number" and not parameter.get("MinValue", -inf) <= float(value) <= parameter.get("MaxValue", inf):
            raise Unsupported(f"parameter {name} is {value}, which is out of its bounds")
        values[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return values


def _respell(resource: dict) -> None:
    """moto takes a table's encryption as the API spells it, not as CloudFormation does."""
    sse = resource.get("Properties", {}).get("SSESpecification", {})
    if resource["Type"] == "AWS::DynamoDB::Table" and "SSEEnabled" in sse:
        sse["Enabled"] = sse.pop("SSEEnabled") in (True, "true")


def _without_condition(resource: dict) -> dict:
    return {key: value for key, value in resource.items() if key != "Condition"}


def _as_list(value) -> list:
    return value if isinstance(value, list) else [value]
