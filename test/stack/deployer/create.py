"""Makes the stack, and through the API what moto's CloudFormation leaves out."""

import io
import json
import zipfile

from botocore.exceptions import ClientError

from deployer import kinds
from deployer.kinds import Unsupported
from deployer.resolve import Resolver
from deployer.template import CODE_KEY, Template
from deployer.world import World


def stack(world: World, template: Template) -> Resolver:
    """Creates everything and returns who knows its names."""
    _put_code(world, template)
    # What the emulator does not have is called by its logical id: "Api" is https://api.execute-api….
    stand_ins = {
        name: name.lower() for name, resource in template.resources.items() if not kinds.is_made_by_emulator(resource["Type"])
    }
    for name in template.aliases():
        stand_ins.pop(name)
    cloudformation = world.client("cloudformation")
    cloudformation.create_stack(
        StackName=world.stack,
        TemplateBody=json.dumps(template.for_emulator(stand_ins)),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in template.parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    described = cloudformation.describe_stacks(StackName=world.stack)["Stacks"][0]
    if described["StackStatus"] != "CREATE_COMPLETE":
        raise Unsupported(f"the stack is {described['StackStatus']}: {described.get('StackStatusReason', 'no reason given')}")
    made = cloudformation.describe_stack_resources(StackName=world.stack)["StackResources"]
    ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made if each.get("PhysicalResourceId")}
    skipped = [
        f"{name} ({resource['Type']})"
        for name, resource in sorted(template.resources.items())
        if kinds.is_made_by_emulator(resource["Type"]) and name not in ids
    ]
    if skipped:
        raise Unsupported(f"the emulator does not make {', '.join(skipped)}; see deployer/kinds.py")
    resolver = Resolver(world, template, ids | stand_ins)
    for kind, apply in APPLY.items():
        for name, properties in template.of_type(kind).items():
            apply(world, ids.get(name, ""), resolver.value(properties))
    return resolver


def _put_code(world: World, template: Template) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bootstrap", "#!/bin/sh\n")  # the host has the real ones
    s3 = world.client("s3")
    s3.create_bucket(Bucket=template.code_bucket, CreateBucketConfiguration={"LocationConstraint": world.region})
    s3.put_object(Bucket=template.code_bucket, Key=CODE_KEY, Body=archive.getvalue())


def _table(world: World, name: str, properties: dict) -> None:
    dynamodb = world.client("dynamodb")
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    if "PointInTimeRecoverySpecification" in properties:
        specification = dict(properties["PointInTimeRecoverySpecification"])
        if "RecoveryPeriodInDays" in specification:  # parameters are strings, and CloudFormation converts them
            specification["RecoveryPeriodInDays"] = int(specification["RecoveryPeriodInDays"])
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)


def _bucket(world: World, name: str, properties: dict) -> None:
    s3 = world.client("s3")
    if "PublicAccessBlockConfiguration" in properties:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"])
    if "VersioningConfiguration" in properties:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if "OwnershipControls" in properties:
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    if "LifecycleConfiguration" in properties:
        rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if "NotificationConfiguration" in properties:
        raise Unsupported(f"bucket {name} notifies somebody, which is not modelled")


def _lifecycle_rule(rule: dict) -> dict:
    """CloudFormation's spelling of a rule in S3's own."""
    api = {"ID": rule.get("Id", "rule"), "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    if expiration:
        api["Expiration"] = expiration
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    days = noncurrent.get("NoncurrentDays", rule.get("NoncurrentVersionExpirationInDays"))
    if days is not None:
        api["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(days)}
    if "AbortIncompleteMultipartUpload" in rule:
        api["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    transitions = rule.get("Transitions", [rule["Transition"]] if "Transition" in rule else [])
    if transitions:
        api["Transitions"] = [{"Days": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]} for t in transitions]
    return api


def _role(world: World, name: str, properties: dict) -> None:
    for arn in properties.get("ManagedPolicyArns", []):
        try:
            world.client("iam").attach_role_policy(RoleName=name, PolicyArn=arn)
        except ClientError as error:
            raise Unsupported(f"role {name}: {arn}: {error} (strict_moto/patches/iam.py says which policies of AWS there are)") from error


def _topic(world: World, arn: str, properties: dict) -> None:
    if "KmsMasterKeyId" in properties:
        value = properties["KmsMasterKeyId"]
        world.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=value)


def _log_group(world: World, name: str, properties: dict) -> None:
    if "RetentionInDays" in properties:
        world.client("logs").put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))


def _without_tls(policy: dict) -> dict:
    """The policy without what it denies to plain HTTP, which is all that the emulator speaks. It looks at no conditions, either."""

    def demands_tls(statement: dict) -> bool:
        return statement["Effect"] == "Deny" and "aws:SecureTransport" in json.dumps(statement.get("Condition", {}))

    return policy | {"Statement": [statement for statement in policy["Statement"] if not demands_tls(statement)]}


def _bucket_policy(world: World, _: str, properties: dict) -> None:
    world.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(_without_tls(properties["PolicyDocument"])))


def _queue_policy(world: World, _: str, properties: dict) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def _topic_policy(world: World, _: str, properties: dict) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        world.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _subscription(world: World, _: str, properties: dict) -> None:
    if properties["Protocol"] == "lambda":
        raise Unsupported(f"topic {properties['TopicArn']} invokes a function, which is not modelled")
    attributes = {}
    for name in ("RawMessageDelivery", "FilterPolicyScope"):
        if name in properties:
            attributes[name] = str(properties[name]).lower() if isinstance(properties[name], bool) else properties[name]
    for name in ("FilterPolicy", "RedrivePolicy", "DeliveryPolicy"):
        if name in properties:
            attributes[name] = json.dumps(properties[name])
    world.client("sns").subscribe(
        TopicArn=properties["TopicArn"], Protocol=properties["Protocol"], Endpoint=properties["Endpoint"], Attributes=attributes
    )


APPLY = {
    "AWS::DynamoDB::Table": _table,
    "AWS::S3::Bucket": _bucket,
    "AWS::IAM::Role": _role,
    "AWS::SNS::Topic": _topic,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SNS::Subscription": _subscription,
}
