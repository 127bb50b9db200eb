"""What became of a stack, in the words of package stack (facts.go)."""

import json

from deployer.kinds import RESERVED_VARIABLES, Unsupported
from deployer.resolve import Resolver
from deployer.template import Template
from deployer.world import World


def of(world: World, template: Template, resolver: Resolver) -> dict:
    functions = _functions(world, template, resolver)
    by_arn = {each["ARN"]: each["LogicalID"] for each in functions}
    queues = _queues(world, template, resolver)
    return {
        "Name": world.stack,
        "Account": world.account,
        "Region": world.region,
        "Endpoint": world.endpoint,
        "Resources": {
            name: {"Type": resource["Type"], "ID": resolver.ref(name), "ARN": resolver.arn(name)}
            for name, resource in template.resources.items()
        },
        "Outputs": {
            name: str(resolver.value(output["Value"]))
            for name, output in template.outputs.items()
            if "Condition" not in output or resolver.condition(output["Condition"])
        },
        "Functions": functions,
        "Mappings": _mappings(template, resolver, by_arn, queues),
        "Queues": queues,
        "Schedules": _rules(template, resolver, by_arn) + _schedules(template, resolver, by_arn),
        "Routes": _routes(template, resolver, by_arn),
        "Topics": [
            {"LogicalID": name, "Name": resolver.attribute(name, "TopicName"), "ARN": resolver.ref(name)}
            for name in template.of_type("AWS::SNS::Topic")
        ],
        "Alarms": [
            {"LogicalID": name, "Properties": resolver.value(properties)}
            for name, properties in template.of_type("AWS::CloudWatch::Alarm").items()
        ],
    }


def _functions(world: World, template: Template, resolver: Resolver) -> list[dict]:
    retries = {
        resolver.value(config["FunctionName"]): config.get("MaximumRetryAttempts", 2)
        for config in template.of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    found = []
    for name, properties in template.of_type("AWS::Lambda::Function").items():
        physical = resolver.ref(name)
        configured = world.client("lambda").get_function_configuration(FunctionName=physical)
        variables = configured.get("Environment", {}).get("Variables", {})
        _check_variables(name, variables)
        found.append(
            {
                "LogicalID": name,
                "Name": physical,
                "ARN": resolver.attribute(name, "Arn"),
                "RoleARN": configured["Role"],
                "Handler": configured.get("Handler", ""),
                "Runtime": configured.get("Runtime", ""),
                "Architectures": resolver.value(properties.get("Architectures", ["x86_64"])),  # moto forgets them
                "Code": template.code.get(name, ""),
                "Timeout": int(configured.get("Timeout", 3)),
                "Memory": int(configured.get("MemorySize", 128)),
                "Concurrency": int(resolver.value(properties.get("ReservedConcurrentExecutions", 0))),
                "Retries": int(resolver.value(retries.get(physical, 2))),
                "DeadLetterARN": resolver.value(properties.get("DeadLetterConfig", {}).get("TargetArn", "")),
                "Environment": variables,
            }
        )
    return found


def _check_variables(function: str, variables: dict[str, str]) -> None:
    """What Lambda would refuse."""
    reserved = sorted(RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise Unsupported(f"function {function} sets variables that are Lambda's: {', '.join(reserved)}")
    if sum(len(name) + len(value) for name, value in variables.items()) > 4096:
        raise Unsupported(f"function {function} has more than 4 KiB of variables")


def _queues(world: World, template: Template, resolver: Resolver) -> list[dict]:
    found = []
    for name in template.of_type("AWS::SQS::Queue"):
        url = resolver.ref(name)
        attributes = world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        found.append(
            {
                "LogicalID": name,
                "Name": resolver.attribute(name, "QueueName"),
                "URL": url,
                "ARN": attributes["QueueArn"],
                "VisibilityTimeout": int(attributes["VisibilityTimeout"]),
                "MaxReceiveCount": int(redrive.get("maxReceiveCount", 0)),
                "DeadLetterARN": redrive.get("deadLetterTargetArn", ""),
                "FIFO": attributes.get("FifoQueue") == "true",
            }
        )
    urls = {each["ARN"]: each["URL"] for each in found}
    for each in found:
        each["DeadLetterURL"] = urls.get(each["DeadLetterARN"], "")
    return found


def _mappings(template: Template, resolver: Resolver, by_arn: dict[str, str], queues: list[dict]) -> list[dict]:
    urls = {each["ARN"]: each["URL"] for each in queues}
    found = []
    for name, properties in template.of_type("AWS::Lambda::EventSourceMapping").items():
        mapping = resolver.value(properties)
        source = mapping.get("EventSourceArn", "")
        if source not in urls:
            raise Unsupported(f"event source mapping {name} reads {source or 'nothing'}, which is no queue of the stack")
        if "FilterCriteria" in mapping:
            raise Unsupported(f"event source mapping {name} filters, which is not modelled")
        if mapping.get("Enabled", True) in (False, "false"):
            continue
        found.append(
            {
                "LogicalID": name,
                "Function": _function(mapping["FunctionName"], by_arn, name),
                "QueueARN": source,
                "QueueURL": urls[source],
                "BatchSize": int(mapping.get("BatchSize", 10)),
                "BatchingWindow": int(mapping.get("MaximumBatchingWindowInSeconds", 0)),
                "PartialFailures": "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
                "MaxConcurrency": int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)),
            }
        )
    return found


def _function(name: str, by_arn: dict[str, str], who: str) -> str:
    """The logical id of a function given by name or ARN."""
    for arn, logical_id in by_arn.items():
        if name in (arn, arn.rpartition(":")[2], logical_id):
            return logical_id
    raise Unsupported(f"{who} invokes {name}, which is no function of the stack")


def _rules(template: Template, resolver: Resolver, by_arn: dict[str, str]) -> list[dict]:
    found = []
    for name, properties in template.of_type("AWS::Events::Rule").items():
        rule = resolver.value(properties)
        for target in rule.get("Targets", []):
            if target["Arn"] not in by_arn:
                continue
            if "ScheduleExpression" not in rule or "InputTransformer" in target or "InputPath" in target:
                raise Unsupported(f"rule {name} invokes a function otherwise than by the clock with a fixed input, which is not modelled")
            found.append(
                {
                    "LogicalID": name,
                    "Name": resolver.ref(name),
                    "ARN": resolver.attribute(name, "Arn"),
                    "Kind": "rule",
                    "Expression": rule["ScheduleExpression"],
                    "Input": target.get("Input", ""),
                    "Function": by_arn[target["Arn"]],
                    "Enabled": rule.get("State", "ENABLED") == "ENABLED",
                }
            )
    return found


def _schedules(template: Template, resolver: Resolver, by_arn: dict[str, str]) -> list[dict]:
    found = []
    for name, properties in template.of_type("AWS::Scheduler::Schedule").items():
        schedule = resolver.value(properties)
        named, group = schedule.get("Name", name), schedule.get("GroupName", "default")
        found.append(
            {
                "LogicalID": name,
                "Name": named,
                "ARN": resolver.arn(name).rpartition("schedule/")[0] + f"schedule/{group}/{named}",
                "Kind": "schedule",
                "Expression": schedule["ScheduleExpression"],
                "Input": schedule["Target"].get("Input", ""),
                "Function": _function(schedule["Target"]["Arn"], by_arn, name),
                "Enabled": schedule.get("State", "ENABLED") == "ENABLED",
            }
        )
    return found


def _routes(template: Template, resolver: Resolver, by_arn: dict[str, str]) -> list[dict]:
    """SAM writes an HTTP API as an OpenAPI document with AWS's extensions."""
    found = []
    for api, properties in template.of_type("AWS::ApiGatewayV2::Api").items():
        body = resolver.value(properties.get("Body", {}))
        schemes = body.get("components", {}).get("securitySchemes", {})
        for path, methods in body.get("paths", {}).items():
            for method, operation in methods.items():
                integration = operation.get("x-amazon-apigateway-integration")
                if integration is None:
                    continue
                if integration.get("payloadFormatVersion") != "2.0" or integration.get("type") != "aws_proxy":
                    raise Unsupported(f"route {method} {path} of {api} is not a proxy with payload format 2.0")
                arn = integration["uri"].partition("/functions/")[2].partition("/")[0]
                found.append(
                    {
                        "API": api,
                        "Method": "ANY" if method == "x-amazon-apigateway-any-method" else method.upper(),
                        "Path": path,
                        "Function": _function(arn, by_arn, f"route {method} {path}"),
                        "Auth": _auth(operation.get("security", []), schemes),
                        "Timeout": int(integration.get("timeoutInMillis", 0)),
                    }
                )
    return sorted(found, key=lambda route: (route["API"], route["Path"], route["Method"]))


def _auth(security: list[dict], schemes: dict) -> str:
    names = [name for each in security for name in each]
    if not names or names == ["NONE"]:
        return "NONE"
    iam = schemes.get(names[0], {}).get("x-amazon-apigateway-authtype") == "awsSigv4"
    return "AWS_IAM" if iam else names[0]
