"""Creates the audit role's stack in moto, in this process, and prints what came of it as JSON."""

import json
import sys

import boto3
from moto import mock_aws

template, checker, external_id = sys.argv[1:]

with mock_aws():
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    cloudformation, iam = session.client("cloudformation"), session.client("iam")
    with open(template) as file:
        cloudformation.create_stack(
            StackName="CloudArq",
            TemplateBody=file.read(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": "CheckerRoleArn", "ParameterValue": checker},
                {"ParameterKey": "ExternalId", "ParameterValue": external_id},
            ],
        )
    stack = cloudformation.describe_stacks(StackName="CloudArq")["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    role = iam.get_role(RoleName=outputs["RoleArn"].split("/")[-1])["Role"]
    documents = []
    for policy in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"])
    print(
        json.dumps(
            {
                "outputs": outputs,
                "name": role["RoleName"],
                "max_session": role["MaxSessionDuration"],
                "trust": role["AssumeRolePolicyDocument"],
                "tags": {t["Key"]: t["Value"] for t in role.get("Tags", [])},
                "documents": documents,
            },
            default=str,
        )
    )
