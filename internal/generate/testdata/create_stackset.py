"""Creates the StackSet of the organization's template in moto, in this process, and prints the role of each account as JSON.

moto knows StackSets but not as a template's resource, so the resource's properties are what its API is called with.
"""

import json
import sys

import boto3
from cfnlint.decode import cfn_yaml
from moto import mock_aws

template, checker, external_id = sys.argv[1:]


FUNCTIONS = {
    "Fn::Join": lambda between, parts: between.join(parts),
    "Fn::Select": lambda at, parts: parts[int(at)],
    "Fn::Split": lambda at, text: text.split(at),
}


def resolved(value, parameters):
    """The value with its references to parameters followed."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return parameters[value["Ref"]]
        if set(value) <= FUNCTIONS.keys():
            ((function, argument),) = value.items()
            return FUNCTIONS[function](*resolved(argument, parameters))
        return {str(k): resolved(v, parameters) for k, v in value.items()}
    if isinstance(value, list):
        return [resolved(v, parameters) for v in value]
    return value


def role_of(account, name, session):
    """The role of a name in an account, with its trust policy and how many policies it has."""
    keys = session.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/owner", RoleSessionName="test")["Credentials"]
    iam = boto3.client("iam", "us-east-1", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    role = iam.get_role(RoleName=name)["Role"]
    policies = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {"arn": role["Arn"], "trust": role["AssumeRolePolicyDocument"], "max_session": role["MaxSessionDuration"], "policies": len(policies)}


with mock_aws():
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    organizations, cloudformation = session.client("organizations"), session.client("cloudformation")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    accounts = []
    for name in ("one", "two"):
        account = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
        accounts.append(account)

    outer = cfn_yaml.load(template)
    parameters = {name: p.get("Default") for name, p in outer["Parameters"].items()}
    parameters |= {"CheckerRoleArn": checker, "ExternalId": external_id, "OrganizationalUnitIds": [unit]}
    parameters |= {"AWS::Region": "eu-west-1", "AWS::StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/CloudArq/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
    properties = resolved(outer["Resources"]["AuditRoles"]["Properties"], parameters)
    groups, preferences = properties.pop("StackInstancesGroup"), properties.pop("OperationPreferences")
    cloudformation.create_stack_set(**properties)
    for group in groups:
        cloudformation.create_stack_instances(StackSetName=properties["StackSetName"], OperationPreferences=preferences, CallAs=properties["CallAs"], **group)
    print(json.dumps({account: role_of(account, parameters["RoleName"], session) for account in accounts}))
