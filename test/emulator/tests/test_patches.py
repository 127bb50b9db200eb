"""A test per patch. Those about speed look at what moto is asked to do, since time on a shared machine proves nothing."""

import csv
import datetime
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from conftest import REGION, allow


@pytest.fixture(scope="session")
def patched():
    """moto patched in this process, for the patches that cannot be seen from outside."""
    from strict_moto import patches

    patches.apply()


def test_backend_of_host_is_remembered(patched):
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    dispatcher = DomainDispatcherApplication(create_backend_app)
    assert dispatcher.get_backend_for_host("kms.eu-west-1.amazonaws.com") == "kms"
    dispatcher.backend_url_patterns = []  # asked again, moto would not find it any more
    assert dispatcher.get_backend_for_host("kms.eu-west-1.amazonaws.com") == "kms"
    assert dispatcher.get_backend_for_host(None) is None
    with pytest.raises(NotImplementedError):
        dispatcher.get_backend_for_host("dlm.eu-west-1.amazonaws.com")


def test_newest_partitions_are_known(patched):
    from moto.utilities.utils import get_partition

    assert [get_partition(region) for region in ("eu-isoe-west-1", "us-isof-south-1", "us-iso-east-1", "eu-west-1")] == [
        "aws-iso-e",
        "aws-iso-f",
        "aws-iso",
        "aws",
    ]


def test_method_names_are_remembered(patched):
    import moto.core.responses
    from moto.ec2.responses import EC2Response

    first = moto.core.responses.method_names_from_class(EC2Response)
    assert "describe_vpcs" in first
    assert moto.core.responses.method_names_from_class(EC2Response) is first


def test_sqs_reads_the_clock_once_per_scan(patched, monkeypatch):
    from moto.sqs.models import Message, Queue

    queue = Queue("q", "eu-west-1", "123456789012")
    queue._messages = [Message(f"m{i}", "body", {}) for i in range(50)]
    now = iter([1e15])
    monkeypatch.setattr("strict_moto.patches.sqs.time.time", lambda: next(now))
    for message in queue._messages:
        message.visible_at, message.delayed_until = 0, 0
    queue._messages[0].visible_at = 2e18
    queue._messages[1].delayed_until = 2e18
    assert len(queue.messages) == 48


def test_sqs_visibility_and_delay(emulator, account):
    sqs = emulator.client("sqs", account)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="now")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=60)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["now"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.fixture
def table(emulator, account):
    """A client of a table with a sort key, an index and a stream."""
    dynamodb = emulator.client("dynamodb", account)
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-kind",
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        BillingMode="PAY_PER_REQUEST",
    )
    return dynamodb


def item(pk: str, sk: str, **more: dict) -> dict:
    return {"pk": {"S": pk}, "sk": {"S": sk}} | more


def test_no_increment_is_lost_beside_failing_transactions(table):
    def increment(_) -> None:
        table.update_item(
            TableName="t", Key=item("counter", "0"), UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}
        )

    def fail(number: int) -> None:
        put = {"Put": {"TableName": "t", "Item": item("other", str(number))}}
        check = {"ConditionCheck": {"TableName": "t", "Key": item("none", "0"), "ConditionExpression": "attribute_exists(pk)"}}
        with pytest.raises(table.exceptions.TransactionCanceledException):
            table.transact_write_items(TransactItems=[put, check])

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: fail(n) if n % 3 == 0 else increment(n), range(240)))
    assert table.get_item(TableName="t", Key=item("counter", "0"))["Item"]["n"] == {"N": "160"}
    assert table.query(TableName="t", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "other"}})["Count"] == 0


def test_transaction_rolls_back_items_and_stream(emulator, account, table):
    kept = item("a", "1", v={"M": {"deep": {"L": [{"N": "1"}]}}})
    doomed = item("a", "2")
    for each in (kept, doomed):
        table.put_item(TableName="t", Item=each)
    with pytest.raises(table.exceptions.TransactionCanceledException) as cancelled:
        table.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": "t", "Key": item("a", "1"), "UpdateExpression": "SET v.deep[0] = :v",
                            "ExpressionAttributeValues": {":v": {"S": "changed"}}}},
                {"Delete": {"TableName": "t", "Key": item("a", "2")}},
                {"Put": {"TableName": "t", "Item": item("a", "3")}},
                {"ConditionCheck": {"TableName": "t", "Key": item("z", "0"), "ConditionExpression": "attribute_exists(pk)"}},
            ]
        )  # fmt: skip
    assert [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]] == ["None"] * 3 + ["ConditionalCheckFailed"]
    found = table.query(TableName="t", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "a"}})["Items"]
    assert found == [kept, doomed]
    assert stream_records(emulator, account) == ["INSERT", "INSERT"]

    table.transact_write_items(TransactItems=[{"Delete": {"TableName": "t", "Key": item("a", "2")}}])
    assert "Item" not in table.get_item(TableName="t", Key=item("a", "2"))
    assert stream_records(emulator, account) == ["INSERT", "INSERT", "REMOVE"]


def stream_records(emulator, account: str) -> list[str]:
    streams = emulator.client("dynamodbstreams", account)
    arn = streams.list_streams(TableName="t")["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    return [record["eventName"] for record in streams.get_records(ShardIterator=start)["Records"]]


def test_transaction_does_not_copy_tables(patched):
    from moto.dynamodb.models import dynamodb_backends

    backend = dynamodb_backends["000000009001"]["eu-west-1"]
    table = backend.create_table(
        "t", schema=[{"AttributeName": "pk", "KeyType": "HASH"}], throughput=None, attr=[{"AttributeName": "pk", "AttributeType": "S"}],
        global_indexes=None, indexes=None, streams=None, billing_mode="PAY_PER_REQUEST", sse_specification=None, tags=[],
        deletion_protection_enabled=False, warm_throughput=None,
    )  # fmt: skip
    backend.transact_write_items([{"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}}}}])
    with pytest.raises(Exception, match="Transaction cancelled"):
        backend.transact_write_items(
            [
                {"Put": {"TableName": "t", "Item": {"pk": {"S": "b"}}}},
                {"ConditionCheck": {"TableName": "t", "Key": {"pk": {"S": "z"}}, "ConditionExpression": "attribute_exists(pk)"}},
            ]
        )
    assert backend.tables["t"] is table  # moto would have put a copy in its place
    assert [each.hash_key.value for each in table.all_items()] == ["a"]


def test_query_reads_one_partition_in_order_and_pages(table):
    for pk in "abc":
        for number in range(12):
            table.put_item(TableName="t", Item=item(pk, f"{number:02d}", kind={"S": "even" if number % 2 == 0 else "odd"}))

    def read(**query) -> list[tuple[str, str]]:
        found, start = [], {}
        while True:
            page = table.query(TableName="t", **query, **start)
            found += [(each["pk"]["S"], each["sk"]["S"]) for each in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    partition = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "b"}}}
    expected = [("b", f"{number:02d}") for number in range(12)]
    assert read(**partition) == expected
    assert read(**partition, Limit=5) == expected
    assert read(**partition, ScanIndexForward=False, Limit=7) == expected[::-1]
    assert read(KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "none"}}) == []

    index = {"IndexName": "by-kind", "KeyConditionExpression": "kind = :k", "ExpressionAttributeValues": {":k": {"S": "odd"}}}
    every = read(**index)
    assert sorted(every) == sorted((pk, f"{number:02d}") for pk in "abc" for number in range(1, 12, 2))
    assert [sk for _, sk in every] == sorted(sk for _, sk in every)
    assert sorted(read(**index, Limit=4)) == sorted(every)
    assert table.scan(TableName="t")["Count"] == 36


def test_strings_compare_as_before(patched):
    from moto.dynamodb.models.dynamo_type import DynamoType

    a, b, number = DynamoType({"S": "a"}), DynamoType({"S": "b"}), DynamoType({"N": "1"})
    assert a < b and b > a and a == DynamoType({"S": "a"}) and a != b and a != number
    assert a.cast_value == "a" and number.cast_value == 1
    assert DynamoType({"N": "10"}) > DynamoType({"N": "9"})
    assert hash(a) == hash(DynamoType({"S": "a"}))


def test_every_type_of_attribute_survives(table):
    attributes = {
        "s": {"S": "text"}, "n": {"N": "1.5"}, "b": {"B": b"\x00\xff"}, "t": {"BOOL": True}, "nil": {"NULL": True},
        "m": {"M": {"inner": {"B": b"\x01"}}}, "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]}, "ss": {"SS": ["a"]},
        "ns": {"NS": ["1"]}, "bs": {"BS": [b"\x02"]},
    }  # fmt: skip
    table.put_item(TableName="t", Item=item("types", "0", **attributes))
    assert table.get_item(TableName="t", Key=item("types", "0"))["Item"] == item("types", "0", **attributes)
    assert table.scan(TableName="t")["Items"] == [item("types", "0", **attributes)]


def test_long_poll_does_not_block_others(emulator, account):
    sqs = emulator.client("sqs", account)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    waiting = threading.Thread(target=lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2))
    waiting.start()
    emulator.client("kms", account).list_keys()
    assert waiting.is_alive()
    waiting.join()


def test_new_buckets_are_protected(emulator, account):
    s3 = emulator.client("s3", account, region="us-east-1")
    bucket = f"bucket-{account}"
    s3.create_bucket(Bucket=bucket)
    assert encryption(s3, bucket) == "AES256"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.delete_public_access_block(Bucket=bucket)
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        s3.get_public_access_block(Bucket=bucket)


def test_buckets_stay_encrypted(emulator, account):
    s3 = emulator.client("s3", account, region="us-east-1")
    bucket = f"encrypted-{account}"
    s3.create_bucket(Bucket=bucket)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert encryption(s3, bucket) == "aws:kms"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert encryption(s3, bucket) == "AES256"


def test_buckets_tell_what_encryption_they_refuse(emulator, account):
    s3 = emulator.client("s3", account, region="us-east-1")
    bucket = f"blocking-{account}"
    s3.create_bucket(Bucket=bucket)
    assert blocked(s3, bucket) == ["SSE-C"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert blocked(s3, bucket) == ["SSE-C"]
    rule["BlockedEncryptionTypes"] = {"EncryptionType": ["NONE"]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert blocked(s3, bucket) == ["NONE"]


def test_buckets_are_listed_with_their_region(emulator, account):
    s3 = emulator.client("s3", account, region="eu-west-1")
    s3.create_bucket(Bucket=f"irish-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert [b["BucketRegion"] for b in s3.list_buckets(MaxBuckets=10)["Buckets"]] == ["eu-west-1"]


def test_bucket_policies_deny_as_they_say(emulator, account):
    s3 = emulator.client("s3", account)
    user = emulator.client("s3", **emulator.user(account, allow("s3:*")))
    bucket = f"tls-only-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def deny(action: str, **condition) -> None:
        statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"} | condition
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))

    deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    user.put_object(Bucket=bucket, Key="a", Body=b"a")
    deny("s3:PutObject")
    with pytest.raises(ClientError, match="AccessDenied"):
        user.put_object(Bucket=bucket, Key="b", Body=b"b")
    s3.put_object(Bucket=bucket, Key="b", Body=b"b")  # a fixture is above all control


def encryption(s3, bucket: str) -> str:
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


def blocked(s3, bucket: str) -> list[str]:
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["BlockedEncryptionTypes"]["EncryptionType"]


def test_head_object_tells_the_length(emulator, account):
    s3 = emulator.client("s3", account, region="us-east-1")
    bucket = f"objects-{account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1000)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1000
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * 1000


def test_images_keep_their_virtualization_type(emulator, account):
    ec2 = emulator.client("ec2", account)
    types = {}
    for wanted in ({}, {"VirtualizationType": "hvm"}):
        image = ec2.register_image(Name="image", **wanted)["ImageId"]
        instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        types[wanted.get("VirtualizationType", "not said")] = described["VirtualizationType"]
    assert types == {"not said": "paravirtual", "hvm": "hvm"}


def test_regions_of_a_real_account(emulator, account):
    ec2 = emulator.client("ec2", account)

    def statuses(**parameters) -> dict[str, str]:
        return {region["RegionName"]: region["OptInStatus"] for region in ec2.describe_regions(**parameters)["Regions"]}

    assert len(statuses()) == 17
    assert set(statuses().values()) == {"opt-in-not-required"}
    every = statuses(AllRegions=True)
    assert every["me-south-1"] == every["af-south-1"] == "not-opted-in"
    assert not [name for name in every if name.startswith(("cn-", "us-gov-"))]
    enabled = [{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]
    assert statuses(AllRegions=True, Filters=enabled) == statuses()
    assert statuses(RegionNames=["eu-west-1"]) == {"eu-west-1": "opt-in-not-required"}


def test_tags_are_listed_beside_a_cluster_without_any(emulator, account):
    emulator.client("ecs", account).create_cluster(clusterName="plain")
    emulator.client("sqs", account).create_queue(QueueName="tagged", tags={"env": "prod"})
    listed = emulator.client("resourcegroupstaggingapi", account).get_resources()["ResourceTagMappingList"]
    assert [each["Tags"] for each in listed if each["ResourceARN"].endswith(":tagged")] == [[{"Key": "env", "Value": "prod"}]]


def test_clusters_are_protected_if_somebody_says_so(emulator, account):
    eks = emulator.client("eks", account)
    about = {"roleArn": f"arn:aws:iam::{account}:role/eks", "resourcesVpcConfig": {"subnetIds": []}}
    for name, given in (("plain", {}), ("protected", {"deletionProtection": True})):
        eks.create_cluster(name=name, **about, **given)
        assert eks.describe_cluster(name=name)["cluster"]["deletionProtection"] == (name == "protected")


TOPIC = json.dumps({
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}}},
    "Outputs": {"Shown": {"Value": {"Ref": "Name"}}},
})  # fmt: skip


def change_set(cloudformation, kind, name, value):
    return cloudformation.create_change_set(
        StackName="s", ChangeSetName=name, ChangeSetType=kind, TemplateBody=TOPIC, Parameters=[{"ParameterKey": "Name", "ParameterValue": value}]
    )


def test_rules_match_by_their_pattern(emulator, account):
    events, sqs = emulator.client("events", account), emulator.client("sqs", account)
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]

    def rule(name, **what):
        events.put_rule(Name=name, **what)
        arn = f"arn:aws:lambda:{REGION}:{account}:function:f" if name == "clock" else f"arn:aws:sqs:{REGION}:{account}:heard"
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])

    pattern = json.dumps({"source": ["mine"]})
    rule("clock", ScheduleExpression="rate(1 minute)")
    rule("off", EventPattern=pattern, State="DISABLED")
    rule("on", EventPattern=pattern)
    entry = {"DetailType": "x", "Detail": "{}"}
    assert events.put_events(Entries=[entry | {"Source": "mine"}, entry | {"Source": "other"}])["FailedEntryCount"] == 0
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])) == 1


def test_change_sets_of_a_new_stack_share_it(emulator, account):
    cloudformation = emulator.client("cloudformation", account)
    first, second = change_set(cloudformation, "CREATE", "first", "a"), change_set(cloudformation, "CREATE", "second", "b")
    assert first["StackId"] == second["StackId"]
    cloudformation.execute_change_set(ChangeSetName=second["Id"], StackName="s")
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert (stack["StackId"], stack["StackStatus"]) == (first["StackId"], "CREATE_COMPLETE")
    with pytest.raises(ClientError, match="does not exist"):  # executing one deletes the others
        cloudformation.describe_change_set(ChangeSetName=first["Id"], StackName="s")
    with pytest.raises(ClientError, match="already exists"):
        change_set(cloudformation, "CREATE", "third", "c")


def test_change_sets_change_the_stack(emulator, account):
    cloudformation = emulator.client("cloudformation", account)
    for kind, value in (("CREATE", "a"), ("UPDATE", "b")):
        made = change_set(cloudformation, kind, value, value)
        changes = cloudformation.describe_change_set(ChangeSetName=made["Id"], StackName="s")["Changes"]
        assert [each["ResourceChange"]["Action"] for each in changes] == ["Add" if kind == "CREATE" else "Modify"]
        cloudformation.execute_change_set(ChangeSetName=made["Id"], StackName="s")
        (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
        assert [each["OutputValue"] for each in stack["Outputs"]] == [each["ParameterValue"] for each in stack["Parameters"]] == [value]


def test_change_set_without_changes_fails(emulator, account):
    cloudformation = emulator.client("cloudformation", account)
    cloudformation.execute_change_set(ChangeSetName=change_set(cloudformation, "CREATE", "first", "a")["Id"], StackName="s")
    again = change_set(cloudformation, "UPDATE", "again", "a")
    described = cloudformation.describe_change_set(ChangeSetName=again["Id"], StackName="s")
    assert described["Status"] == "FAILED" and "didn't contain changes" in described["StatusReason"]
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName="s", TemplateBody=TOPIC, Parameters=[{"ParameterKey": "Name", "ParameterValue": "a"}])


def test_common_managed_policies_are_offered(emulator, account):
    iam = emulator.client("iam", account)
    names = {policy["PolicyName"] for policy in iam.list_policies(Scope="AWS")["Policies"]}
    assert {"AdministratorAccess", "SecurityAudit", "AWSSupportAccess"} <= names
    assert len(names) < 50
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def test_authorization_details_name_policies(emulator, account):
    iam = emulator.client("iam", account)
    iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(ANYTHING))
    policies = iam.get_account_authorization_details()["Policies"]
    assert {policy["PolicyName"] for policy in policies} >= {"own", "AdministratorAccess"}


def test_credential_report_has_the_root_user(emulator, account):
    iam = emulator.client("iam", account)
    iam.create_user(UserName="anna")
    iam.generate_credential_report()
    report = iam.get_credential_report()
    rows = list(csv.DictReader(report["Content"].decode().splitlines()))
    assert [row["user"] for row in rows] == ["<root_account>", "anna"]
    assert rows[0]["arn"] == f"arn:aws:iam::{account}:root"
    assert rows[0]["mfa_active"] == rows[0]["access_key_1_active"] == "false"
    assert abs(report["GeneratedTime"] - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)


def role_template(external_id, action):
    trust = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": "r", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}]}},
        "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "ManagedPolicyName": "p", "Roles": [{"Ref": "Role"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}},
    }})  # fmt: skip


def test_cloudformation_updates_and_deletes_roles_and_policies(emulator, account):
    cloudformation, iam = emulator.client("cloudformation", account), emulator.client("iam", account)
    cloudformation.create_stack(StackName="s", TemplateBody=role_template("old", "s3:ListAllMyBuckets"))
    cloudformation.update_stack(StackName="s", TemplateBody=role_template("new", "kms:ListKeys"))
    assert "new" in json.dumps(iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"])
    assert "kms:ListKeys" in json.dumps(iam.get_role_policy(RoleName="r", PolicyName="own")["PolicyDocument"])
    (attached,) = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
    assert "kms:ListKeys" in json.dumps(document)
    cloudformation.delete_stack(StackName="s")
    assert not iam.list_policies(Scope="Local")["Policies"] and not iam.list_roles()["Roles"]


def test_policies_of_cloudformations_roles_are_among_the_details(emulator, account):
    emulator.client("cloudformation", account).create_stack(StackName="s", TemplateBody=role_template("new", "kms:ListKeys"))
    (role,) = emulator.client("iam", account).get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert "kms:ListKeys" in json.dumps(role["RolePolicyList"][0]["PolicyDocument"])


def test_items_may_have_400_kib(table):
    whole = item("a", "1", b={"B": b"x" * (400 * 1024 - len("pkask1b"))})
    table.put_item(TableName="t", Item=whole)
    assert table.get_item(TableName="t", Key=item("a", "1"))["Item"] == whole
    with pytest.raises(ClientError, match="Item size has exceeded"):
        table.put_item(TableName="t", Item=whole | {"n": {"S": "1"}})


def test_batches_end_at_25(table):
    requests = [{"PutRequest": {"Item": item("a", str(number))}} for number in range(26)]
    table.batch_write_item(RequestItems={"t": requests[:25]})
    with pytest.raises(ClientError, match="Too many items"):
        table.batch_write_item(RequestItems={"t": requests})


def test_one_object_written_by_many(emulator, account):
    s3 = emulator.client("s3", account)
    s3.create_bucket(Bucket="many-writers", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with ThreadPoolExecutor(8) as pool:
        put = [pool.submit(s3.put_object, Bucket="many-writers", Key="k", Body=b"%d" % n * 100_000) for n in range(40)]
    assert {each.result()["ResponseMetadata"]["HTTPStatusCode"] for each in put} == {200}


def test_kms_refuses_as_aws(emulator, account):
    kms = emulator.client("kms", account)
    mine, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    context = {"a": "b"}
    blob = kms.encrypt(KeyId=mine, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(KeyId=mine, CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"x"
    with pytest.raises(kms.exceptions.IncorrectKeyException):
        kms.decrypt(KeyId=other, CiphertextBlob=blob, EncryptionContext=context)
    for at in (0, len(blob) - 1):
        altered = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(KeyId=mine, CiphertextBlob=altered, EncryptionContext=context)
    change = {"CiphertextBlob": blob, "SourceEncryptionContext": context, "DestinationKeyId": other, "DestinationEncryptionContext": context}
    with pytest.raises(kms.exceptions.IncorrectKeyException):
        kms.re_encrypt(SourceKeyId=other, **change)
    moved = kms.re_encrypt(SourceKeyId=mine, **change)["CiphertextBlob"]
    assert kms.decrypt(KeyId=other, CiphertextBlob=moved, EncryptionContext=context)["Plaintext"] == b"x"


def recovering(table, name: str = "t") -> None:
    """Switches point-in-time recovery on."""
    table.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})


def whole(client, name: str) -> dict[str, str]:
    return {i["sk"]["S"]: i.get("n", {}).get("S", "") for i in client.scan(TableName=name)["Items"]}


def next_second() -> float:
    """Waits until a second is over, which is as exact as a restore is, and gives its end."""
    moment = int(time.time()) + 1
    while time.time() <= moment:
        time.sleep(0.01)
    return moment


def test_a_table_is_restored_to_a_moment(emulator, account, table):
    table.put_item(TableName="t", Item=item("p", "before recovery"))
    recovering(table)
    for sk in ("stays", "altered", "deleted", "updated", "batched", "in a transaction"):
        table.put_item(TableName="t", Item=item("p", sk, n={"S": "old"}))
    then = next_second()
    want = whole(table, "t")
    new = {"n": {"S": "new"}}
    table.put_item(TableName="t", Item=item("p", "altered", **new))
    table.put_item(TableName="t", Item=item("p", "altered", n={"S": "newest"}))
    table.put_item(TableName="t", Item=item("q", "added", **new))
    table.delete_item(TableName="t", Key=item("p", "deleted"))
    table.update_item(
        TableName="t", Key=item("p", "updated"), UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"S": "new"}}
    )
    table.batch_write_item(RequestItems={"t": [{"DeleteRequest": {"Key": item("p", "batched")}}, {"PutRequest": {"Item": item("r", "x", **new)}}]})
    table.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": item("p", "in a transaction", **new)}}])
    table.restore_table_to_point_in_time(SourceTableName="t", TargetTableName="back", RestoreDateTime=then)
    assert whole(table, "back") == want
    assert whole(table, "t")["altered"] == "newest"  # which stays as it was
    elsewhere = emulator.client("dynamodb", account, region="eu-central-1")
    source = table.describe_table(TableName="t")["Table"]["TableArn"]
    elsewhere.restore_table_to_point_in_time(SourceTableArn=source, TargetTableName="moved", UseLatestRestorableTime=True)
    assert whole(elsewhere, "moved") == whole(table, "t")


def test_a_restored_table_has_no_settings_and_its_indexes(table):
    recovering(table)
    table.update_time_to_live(TableName="t", TimeToLiveSpecification={"AttributeName": "exp", "Enabled": True})
    table.update_table(TableName="t", DeletionProtectionEnabled=True)
    backup = table.create_backup(TableName="t", BackupName="b")["BackupDetails"]["BackupArn"]
    table.restore_table_from_backup(BackupArn=backup, TargetTableName="of-backup")
    table.restore_table_to_point_in_time(SourceTableName="t", TargetTableName="of-moment", UseLatestRestorableTime=True)
    for name in ("of-backup", "of-moment"):
        made = table.describe_table(TableName=name)["Table"]
        recovery = table.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert [index["IndexName"] for index in made["GlobalSecondaryIndexes"]] == ["by-kind"]
        assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert not made.get("DeletionProtectionEnabled")
        assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
        assert table.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"


def test_what_cannot_be_restored(table):
    def refused(code: str, **given) -> None:
        with pytest.raises(ClientError) as error:
            table.restore_table_to_point_in_time(**({"SourceTableName": "t", "TargetTableName": "back"} | given))
        assert error.value.response["Error"]["Code"] == code

    refused("PointInTimeRecoveryUnavailableException", UseLatestRestorableTime=True)
    recovering(table)
    refused("InvalidRestoreTimeException", RestoreDateTime=time.time() - 60)
    refused("InvalidRestoreTimeException", RestoreDateTime=time.time() + 60)
    refused("TableNotFoundException", SourceTableName="u", UseLatestRestorableTime=True)
    refused("TableAlreadyExistsException", TargetTableName="t", UseLatestRestorableTime=True)
    refused("ValidationException")
    refused("ValidationException", UseLatestRestorableTime=True, BillingModeOverride="PROVISIONED")


def named(*names: str, policy: str = "Delete") -> str:
    """A template of a table and of roles with names."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    roles = {f"Role{i}": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust}} for i, name in enumerate(names)}
    table = {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "Properties": {
            "TableName": "kept",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        },
    }
    return json.dumps({"Resources": {"Table": table} | roles})


def test_a_stack_that_fails_is_rolled_back(emulator, account):
    stacks, iam, tables = (emulator.client(service, account) for service in ("cloudformation", "iam", "dynamodb"))
    stacks.create_stack(StackName="first", TemplateBody=named("taken"), Capabilities=["CAPABILITY_NAMED_IAM"])
    tables.delete_table(TableName="kept")
    stacks.create_stack(StackName="second", TemplateBody=named("free", "taken", "too"), Capabilities=["CAPABILITY_NAMED_IAM"])
    assert stacks.describe_stacks(StackName="second")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [event.get("ResourceStatusReason", "") for event in stacks.describe_stack_events(StackName="second")["StackEvents"]]
    assert any("taken" in reason for reason in reasons)
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["taken"]
    assert tables.list_tables()["TableNames"] == []


@pytest.mark.parametrize(("policy", "stays"), [("Delete", []), ("Retain", ["kept"]), ("RetainExceptOnCreate", ["kept"])])
def test_deletion_policies(emulator, account, policy, stays):
    stacks, tables = emulator.client("cloudformation", account), emulator.client("dynamodb", account)
    stacks.create_stack(StackName="s", TemplateBody=named(policy=policy))
    stacks.delete_stack(StackName="s")
    assert tables.list_tables()["TableNames"] == stays


def test_keys_of_cloudformation_are_described(emulator, account):
    key_policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy}},
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/mine", "TargetKeyId": {"Ref": "Key"}}},
    }
    emulator.client("cloudformation", account).create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}))
    kms = emulator.client("kms", account)
    (key,) = kms.list_keys()["Keys"]
    assert kms.describe_key(KeyId="alias/mine")["KeyMetadata"]["Arn"] == key["KeyArn"]
    assert json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]) == key_policy


def test_generated_names_are_cut(emulator, account):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    resources = {
        "RoleOfAFunctionWithALongName": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "QueueOfAFunctionWithALongName": {"Type": "AWS::SQS::Queue", "Properties": {}},
    }
    emulator.client("cloudformation", account).create_stack(StackName="s" * 128, TemplateBody=json.dumps({"Resources": resources}))
    (role,) = emulator.client("iam", account).list_roles()["Roles"]
    (url,) = emulator.client("sqs", account).list_queues()["QueueUrls"]
    assert len(role["RoleName"]) <= 64 and role["RoleName"].startswith("sssss") and "-RoleOfAFunction" in role["RoleName"]
    assert len(url.rpartition("/")[2]) <= 80
