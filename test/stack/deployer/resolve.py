"""The value of CloudFormation's intrinsic functions, once a stack's resources have names."""

import base64
import re
from typing import TYPE_CHECKING

from deployer.kinds import Unsupported
from deployer.world import World

if TYPE_CHECKING:
    from deployer.template import Template

NO_VALUE = object()


class Resolver:
    """Knows parameters from the start, and resources as far as physical_ids names them."""

    def __init__(self, world: World, template: "Template", physical_ids: dict[str, str] | None = None) -> None:
        self._world = world
        self._template = template
        self._ids = physical_ids or {}

    def value(self, value):
        if isinstance(value, list):
            return [each for each in map(self.value, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function in FUNCTIONS:
                return FUNCTIONS[function](self, argument)
            if function.startswith("Fn::"):
                raise Unsupported(f"{function} is not resolved")
        resolved = {key: self.value(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not NO_VALUE}

    def condition(self, name: str) -> bool:
        return self._holds(self._template.conditions[name])

    def ref(self, name: str):
        pseudo = {
            "AWS::AccountId": self._world.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": self._world.partition,
            "AWS::Region": self._world.region,
            "AWS::StackName": self._world.stack,
            "AWS::StackId": self._world.arn("cloudformation", f"stack/{self._world.stack}/0"),
            "AWS::URLSuffix": self._world.domain,
        }
        for known in (pseudo, self._template.parameters, self._ids):
            if name in known:
                return known[name]
        aliases = self._template.aliases()
        if name in aliases:
            return self.attribute(aliases[name], "Arn")
        raise Unsupported(f"nothing is known of {name}")

    def attribute(self, name: str, attribute: str) -> str:
        resource = self._template.resources.get(name)
        if resource is None or name not in self._ids:
            raise Unsupported(f"nothing is known of {name}.{attribute}")
        value = self._attributes(resource, self._ids[name]).get(attribute)
        if value is None:
            raise Unsupported(f"{attribute} of an {resource['Type']} ({name}) is not known")
        return value

    def _attributes(self, resource: dict, physical_id: str) -> dict[str, str]:
        arn, last = self._world.arn, physical_id.rpartition("/")[2].rpartition(":")[2]
        path = resource.get("Properties", {}).get("Path", "/")
        match resource["Type"]:
            case "AWS::Lambda::Function":
                return {"Arn": arn("lambda", f"function:{physical_id}")}
            case "AWS::SQS::Queue":
                return {"Arn": arn("sqs", last), "QueueName": last, "QueueUrl": physical_id}
            case "AWS::DynamoDB::Table":
                return {"Arn": arn("dynamodb", f"table/{physical_id}")}
            case "AWS::SNS::Topic":
                return {"TopicArn": physical_id, "TopicName": last, "Arn": physical_id}
            case "AWS::S3::Bucket":
                domain = f"{physical_id}.s3.amazonaws.com"
                regional = f"{physical_id}.s3.{self._world.region}.amazonaws.com"
                return {"Arn": arn("s3", physical_id), "DomainName": domain, "RegionalDomainName": regional}
            case "AWS::IAM::Role":
                return {"Arn": arn("iam", f"role{path}{physical_id}")}
            case "AWS::IAM::User":
                return {"Arn": arn("iam", f"user{path}{physical_id}")}
            case "AWS::KMS::Key":
                return {"Arn": arn("kms", f"key/{last}"), "KeyId": last}
            case "AWS::Events::Rule":
                return {"Arn": arn("events", f"rule/{last}")}
            case "AWS::Logs::LogGroup":
                return {"Arn": arn("logs", f"log-group:{physical_id}:*")}
            case "AWS::Scheduler::Schedule":
                return {"Arn": arn("scheduler", f"schedule/default/{physical_id}")}
            case "AWS::ApiGatewayV2::Api":
                return {"ApiId": physical_id, "ApiEndpoint": f"https://{physical_id}.execute-api.{self._world.region}.amazonaws.com"}
            case "AWS::Backup::BackupVault":
                return {"BackupVaultName": physical_id, "BackupVaultArn": arn("backup", f"backup-vault:{physical_id}")}
            case "AWS::CloudWatch::Alarm":
                return {"Arn": arn("cloudwatch", f"alarm:{physical_id}")}
        return {}

    def arn(self, name: str) -> str:
        """A resource's ARN, or "" where none is known."""
        if name not in self._ids:
            return ""
        attributes = self._attributes(self._template.resources[name], self._ids[name])
        return attributes.get("Arn", attributes.get("BackupVaultArn", ""))

    def _get_att(self, argument) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else (argument[0], ".".join(argument[1:]))
        return self.attribute(name, attribute)

    def _sub(self, argument) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        known = {name: self.value(value) for name, value in variables.items()}

        def replace(match: re.Match) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in known:
                return str(known[name])
            return str(self._get_att(name) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _if(self, argument):
        condition, then, otherwise = argument
        return self.value(then if self.condition(condition) else otherwise)

    def _find_in_map(self, argument):
        found = self._template.mappings
        for key in self.value(argument[:3]):
            found = found[key]
        return found

    def _holds(self, expression) -> bool:
        ((function, argument),) = expression.items()
        match function:
            case "Condition":
                return self.condition(argument)
            case "Fn::And":
                return all(map(self._holds, argument))
            case "Fn::Or":
                return any(map(self._holds, argument))
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::Equals":
                one, other = self.value(argument)
                return str(one) == str(other)
        raise Unsupported(f"condition {function} is not resolved")


FUNCTIONS = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::Join": lambda self, argument: argument[0].join(map(str, self.value(argument[1]))),
    "Fn::Select": lambda self, argument: self.value(argument[1])[int(self.value(argument[0]))],
    "Fn::Split": lambda self, argument: self.value(argument[1]).split(argument[0]),
    "Fn::Base64": lambda self, argument: base64.b64encode(self.value(argument).encode()).decode(),
}
