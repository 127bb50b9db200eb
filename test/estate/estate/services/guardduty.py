"""GuardDuty: nothing, or a detector with its plans in every region in use."""

from estate.account import REGIONS, Account

PLANS = ["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"]


def neglected(account: Account) -> None:
    """Nobody enabled it."""


def well_kept(account: Account) -> None:
    for region in REGIONS:
        features = [{"Name": plan, "Status": "ENABLED"} for plan in PLANS]
        account.client("guardduty", region).create_detector(Enable=True, Features=features)
