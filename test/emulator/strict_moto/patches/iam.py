"""IAM's managed policies, its credential report, and what CloudFormation changes of it."""

import datetime
import functools
import json
import os

import moto.iam.models
from moto.core.responses import ActionResult
from moto.iam.models import ManagedPolicy, Role
from moto.iam.responses import IamResponse
from moto.utilities.utils import get_partition

# Those that accounts attach most and that audits ask about. All 1,485 would cost 300 MB and a second for each new account.
OFFERED = [
    "AWSCloudShellFullAccess", "AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSSupportAccess",
    "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AdministratorAccess", "AmazonEC2ReadOnlyAccess", "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess", "IAMFullAccess", "IAMUserChangePassword", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit",
    "ViewOnlyAccess",
]  # fmt: skip


def offer_common_managed_policies() -> None:
    """moto has either none of AWS's managed policies or all of them."""
    every = json.loads(moto.iam.models.aws_managed_policies_data)
    moto.iam.models.aws_managed_policies_data = json.dumps({name: every[name] for name in OFFERED})
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"


def name_policies_in_authorization_details() -> None:
    """AWS names managed policies there; moto leaves PolicyName out, because its own attribute has another name."""
    ManagedPolicy.policy_name = property(lambda policy: policy.name)


def report_root_user() -> None:
    """AWS's credential report begins with the root user, and says when it was made; moto's has no such row and is of 2015."""

    def get_credential_report(response: IamResponse) -> ActionResult:
        report = response.backend.get_credential_report()
        header, _, users = report.partition("\n")
        root = dict.fromkeys(header.split(","), "N/A") | {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{response.current_account}:root",
            "user_creation_time": "2020-01-01T00:00:00+00:00",
            "password_enabled": "not_supported",
            "password_last_used": "no_information",
            "password_last_changed": "not_supported",
            "password_next_rotation": "not_supported",
        }
        root |= {column: "false" for column in root if column.endswith("_active")}
        content = "\n".join([header, ",".join(root.values()), users])
        made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return ActionResult({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": made})

    IamResponse.get_credential_report = get_credential_report


def keep_policies_of_roles_as_text() -> None:
    """moto's CloudFormation gives a role its policies as objects, which GetAccountAuthorizationDetails cannot quote."""
    put_policy = Role.put_policy

    @functools.wraps(put_policy)
    def put_text(role: Role, policy_name: str, policy_json: str | dict) -> None:
        put_policy(role, policy_name, policy_json if isinstance(policy_json, str) else json.dumps(policy_json))

    Role.put_policy = put_text


def change_by_cloudformation() -> None:
    """moto's CloudFormation changes of a role its description alone; of a managed policy nothing, nor does it delete one."""
    update = Role.update_from_cloudformation_json.__func__

    @functools.wraps(update)
    def update_role(cls, original_resource: Role, new_resource_name: str, cloudformation_json: dict, account_id: str, region_name: str) -> Role:
        role = update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name)
        properties = cloudformation_json["Properties"]
        role.assume_role_policy_document = json.dumps(properties["AssumeRolePolicyDocument"])
        role.max_session_duration = properties.get("MaxSessionDuration", 3600)
        role.policies = {each["PolicyName"]: json.dumps(each["PolicyDocument"]) for each in properties.get("Policies", [])}
        return role

    def update_policy(
        cls, original_resource: ManagedPolicy, new_resource_name: str, cloudformation_json: dict, account_id: str, region_name: str
    ) -> ManagedPolicy:
        document = json.dumps(cloudformation_json["Properties"]["PolicyDocument"])
        backend = moto.iam.models.iam_backends[account_id][original_resource.partition]
        backend.create_policy_version(original_resource.arn, document, set_as_default=True)
        return original_resource

    def delete_policy(cls, resource_name: str, cloudformation_json: dict, account_id: str, region_name: str) -> None:
        backend = moto.iam.models.iam_backends[account_id][get_partition(region_name)]
        policy = backend.get_policy(resource_name)
        for holder in (*backend.roles.values(), *backend.users.values(), *backend.groups.values()):
            if policy.arn in holder.managed_policies:
                policy.detach_from(holder)
        backend.delete_policy(policy.arn)

    Role.update_from_cloudformation_json = classmethod(update_role)
    ManagedPolicy.delete_from_cloudformation_json = classmethod(delete_policy)
    ManagedPolicy.update_from_cloudformation_json = classmethod(update_policy)
