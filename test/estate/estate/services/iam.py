"""IAM: people without a second factor and keys without an owner, against groups, MFA and a password policy."""

import functools
import json

from estate.account import Account
from estate.policies import document, trust_service

EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


def neglected(account: Account) -> None:
    iam = account.client("iam")
    iam.create_policy(PolicyName="everything", PolicyDocument=EVERYTHING)

    _console_user(account, "anna")
    iam.attach_user_policy(UserName="anna", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    _console_user(account, "former-consultant")
    iam.put_user_policy(UserName="former-consultant", PolicyName="all", PolicyDocument=EVERYTHING)

    iam.create_user(UserName="deploy")
    for _ in range(2):
        iam.create_access_key(UserName="deploy")
    account.age_user("deploy", days=800)
    iam.attach_user_policy(UserName="deploy", PolicyArn=account.arn("iam", "policy/everything"))

    iam.create_role(RoleName="ec2-admin", AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName="ec2-admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="partner-access", AssumeRolePolicyDocument=document(anybody))


def well_kept(account: Account) -> None:
    iam = account.client("iam")
    iam.update_account_password_policy(
        MinimumPasswordLength=16,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        AllowUsersToChangePassword=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=24,
    )
    iam.create_group(GroupName="auditors")
    iam.attach_group_policy(GroupName="auditors", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    _console_user(account, "berta")
    iam.add_user_to_group(GroupName="auditors", UserName="berta")
    _with_mfa(account, "berta")

    iam.create_role(RoleName="support", AssumeRolePolicyDocument=document(_own_account(account)))
    iam.attach_role_policy(RoleName="support", PolicyArn="arn:aws:iam::aws:policy/AWSSupportAccess")


def bulk(account: Account, region: str, number: int) -> None:
    iam = account.client("iam")
    name = f"bulk-{number}"
    match number % 4:
        case 0 | 1:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
        case 2:
            iam.create_user(UserName=name)
        case 3:
            iam.create_policy(PolicyName=name, PolicyDocument=document({"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}))


@functools.cache
def service_role(account: Account, name: str, service: str) -> str:
    """The ARN of a role for a service to run as, with no permission at all. Several threads may want the same one."""
    iam = account.client("iam")
    try:
        bound = "" if service == "ec2.amazonaws.com" else account.id  # EC2 says nothing of the account
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_service(service, bound))
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    return account.arn("iam", f"role/{name}")


def instance_profile(account: Account, name: str) -> str:
    """The ARN of a profile for EC2 instances, with a role of the same name."""
    service_role(account, name, "ec2.amazonaws.com")
    iam = account.client("iam")
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return profile["Arn"]


def allow_assuming(account: Account, user: str, role_arn: str) -> dict:
    """A user that may do nothing but assume a role, and its access key."""
    iam = account.client("iam")
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn}
    iam.put_user_policy(UserName=user, PolicyName="assume-audit-roles", PolicyDocument=document(statement))
    return iam.create_access_key(UserName=user)["AccessKey"]


def audit_role(account: Account, name: str, trusted_account: str, external_id: str, policy: dict) -> str:
    """The role through which an auditor of another account reads this one, as the product's setup makes it."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{trusted_account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    iam = account.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps(policy))
    return role["Arn"]


def _own_account(account: Account) -> dict:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }


def _console_user(account: Account, name: str) -> None:
    iam = account.client("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password="Correct-Horse-9-Battery", PasswordResetRequired=False)


def _with_mfa(account: Account, user: str) -> None:
    iam = account.client("iam")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
