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


def stack(world: World, template: Template, tags: dict[str, str] | None = None) -> Resolver:
    """Creates everything and returns who knows its names."""
    if template.code:
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
        Tags=_tags(tags),
    )
    described = cloudformation.describe_stacks(StackName=world.stack)["Stacks"][0]
    if described["StackStatus"] != "CREATE_COMPLETE":
        raise Unsupported(f"the stack is {described['StackStatus']}: {_why_it_failed(world)}")
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
    if tags:
        for name, resource in template.resources.items():
            if tagged := TAG.get(resource["Type"]):
                tagged(world, ids[name], _tags(tags))
    return resolver


def _why_it_failed(world: World) -> str:
    events = world.client("cloudformation").describe_stack_events(StackName=world.stack)["StackEvents"]
    reasons = [each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"]
    return reasons[0] if reasons else "no reason given"


def delete(world: World) -> None:
    """Deletes the stack; what its deletion policies retain stays, without what was made of it by the API."""
    cloudformation = world.client("cloudformation")
    made = cloudformation.describe_stack_resources(StackName=world.stack)["StackResources"]
    for each in made:
        if each["ResourceType"] == "AWS::S3::Bucket":
            world.call("s3", "DeleteBucketPolicy", Bucket=each["PhysicalResourceId"])
    cloudformation.delete_stack(StackName=world.stack)


def _put_code(world: World, template: Template) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bootstrap", "#!/bin/sh\n")  # the host has the real ones
    s3 = world.client("s3")
    place = {"CreateBucketConfiguration": {"LocationConstraint": world.region}} if world.region != "us-east-1" else {}
    try:
        s3.create_bucket(Bucket=template.code_bucket, **place)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass  # of an earlier stack
    s3.put_object(Bucket=template.code_bucket, Key=CODE_KEY, Body=archive.getvalue())


def _table(world: World, name: str, properties: dict) -> None:
    if ttl := properties.get("TimeToLiveSpecification"):
        world.call("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=ttl)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        world.call("dynamodb", "UpdateContinuousBackups", TableName=name, PointInTimeRecoverySpecification=recovery)


def _bucket(world: World, name: str, properties: dict) -> None:
    if block := properties.get("PublicAccessBlockConfiguration"):
        world.call("s3", "PutPublicAccessBlock", Bucket=name, PublicAccessBlockConfiguration=block)
    if versioning := properties.get("VersioningConfiguration"):
        world.call("s3", "PutBucketVersioning", Bucket=name, VersioningConfiguration=versioning)
    if ownership := properties.get("OwnershipControls"):
        world.call("s3", "PutBucketOwnershipControls", Bucket=name, OwnershipControls=ownership)
    if lifecycle := properties.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        world.call("s3", "PutBucketLifecycleConfiguration", Bucket=name, LifecycleConfiguration={"Rules": rules})
    if "NotificationConfiguration" in properties:
        raise Unsupported(f"bucket {name} notifies somebody, which is not modelled")


# What a lifecycle rule says, in CloudFormation's spelling, and how S3 spells it.
LIFECYCLE_AS_IT_IS = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status")
LIFECYCLE_EXPIRATION = {"ExpirationInDays": "Days", "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}


def _lifecycle_rule(rule: dict) -> dict:
    api = {"ID": rule.get("Id", "rule"), "Filter": {"Prefix": rule.get("Prefix", "")}}
    api |= {name: rule[name] for name in LIFECYCLE_AS_IT_IS if name in rule}
    expiration = {spelling: rule[name] for name, spelling in LIFECYCLE_EXPIRATION.items() if name in rule}
    if expiration:
        api["Expiration"] = expiration
    transitions = rule.get("Transitions", [])
    if transitions:
        api["Transitions"] = [{"Days": t["TransitionInDays"], "StorageClass": t["StorageClass"]} for t in transitions]
    unknown = rule.keys() - {"Id", "Prefix", "Transitions", *LIFECYCLE_AS_IT_IS, *LIFECYCLE_EXPIRATION}
    if unknown:
        raise Unsupported(f"lifecycle rule {api['ID']} has {', '.join(sorted(unknown))}")
    return api


def _role(world: World, name: str, properties: dict) -> None:
    for arn in properties.get("ManagedPolicyArns", []):
        try:
            world.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
        except ClientError as error:
            raise Unsupported(f"role {name}: {arn}: {error} (strict_moto/patches/iam.py says which policies of AWS there are)") from error


def _topic(world: World, arn: str, properties: dict) -> None:
    if key := properties.get("KmsMasterKeyId"):
        world.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)


def _log_group(world: World, name: str, properties: dict) -> None:
    if days := properties.get("RetentionInDays"):
        world.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)


def _bucket_policy(world: World, _: str, properties: dict) -> None:
    world.call("s3", "PutBucketPolicy", Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))


def _queue_policy(world: World, _: str, properties: dict) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        world.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})


def _topic_policy(world: World, _: str, properties: dict) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        world.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _subscription(world: World, _: str, properties: dict) -> None:
    topic, protocol = properties["TopicArn"], properties["Protocol"]
    if protocol == "lambda":
        raise Unsupported(f"topic {topic} invokes a function, which is not modelled")
    attributes = {}
    for name in ("RawMessageDelivery", "FilterPolicyScope"):
        if name in properties:
            attributes[name] = str(properties[name]).lower() if isinstance(properties[name], bool) else properties[name]
    for name in ("FilterPolicy", "RedrivePolicy", "DeliveryPolicy"):
        if name in properties:
            attributes[name] = json.dumps(properties[name])
    world.call("sns", "Subscribe", TopicArn=topic, Protocol=protocol, Endpoint=properties["Endpoint"], Attributes=attributes)


def _tags(tags: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def _tag_key(world: World, name: str, tags: list[dict[str, str]]) -> None:
    world.call("kms", "TagResource", KeyId=name, Tags=[{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags])


# A stack's tags are also those of what it makes. moto does that for EC2 alone; here for what can outlive its stack, and for roles.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html (2026-11-30)
TAG = {
    "AWS::DynamoDB::Table": lambda world, name, tags: world.call(
        "dynamodb", "TagResource", ResourceArn=world.arn("dynamodb", f"table/{name}"), Tags=tags
    ),
    "AWS::S3::Bucket": lambda world, name, tags: world.call("s3", "PutBucketTagging", Bucket=name, Tagging={"TagSet": tags}),
    "AWS::KMS::Key": _tag_key,
    "AWS::IAM::Role": lambda world, name, tags: world.call("iam", "TagRole", RoleName=name, Tags=tags),
}

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
