"""GuardDuty: nothing, or a detector with its plans in every region, which the organization's security account looks after."""

from estate.account import Account
from estate.services import organizations

PLANS = ["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"]


def neglected(account: Account) -> None:
    """Nobody enabled it."""


def well_kept(account: Account) -> None:
    features = [{"Name": plan, "Status": "ENABLED"} for plan in PLANS]
    for region in account.regions():
        account.client("guardduty", region).create_detector(Enable=True, Features=features)
    administrator = {"accountId": organizations.SECURITY_ACCOUNT, "relationshipStatus": "Enabled"}
    account.answer("guardduty", "GetAdministratorAccount", {"administrator": administrator})
    account.answer("guardduty", "ListMembers", {"members": []})
