"""GuardDuty: nothing, or a detector with its plans in every region, which the organization's security account looks after."""

from estate.account import Account
from estate.services import organizations

PLANS = ["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS"]
AGENTS = ["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"]


def neglected(account: Account) -> None:
    """Nobody enabled it."""


def well_kept(account: Account) -> None:
    features = [{"Name": plan, "Status": "ENABLED"} for plan in PLANS]
    agents = [{"Name": agent, "Status": "ENABLED"} for agent in AGENTS]
    features.append({"Name": "RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": agents})
    for region in account.regions():
        account.client("guardduty", region).create_detector(Enable=True, Features=features)
    administrator = {"accountId": organizations.SECURITY_ACCOUNT, "relationshipStatus": "Enabled"}
    account.answer("guardduty", "GetAdministratorAccount", {"administrator": administrator})
    account.answer("guardduty", "ListMembers", {"members": []})
