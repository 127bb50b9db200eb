"""Security Hub: not enabled, or in every region with the standard that it brings."""

from estate.account import HOME, Account

STANDARD = "standards/aws-foundational-security-best-practices/v/1.0.0"


def neglected(account: Account) -> None:
    """Nobody enabled it."""


def well_kept(account: Account) -> None:
    for region in account.regions():
        account.client("securityhub", region).enable_security_hub(EnableDefaultStandards=True)
    subscription = STANDARD.replace("standards", "subscription", 1)
    standard = {
        "StandardsArn": f"arn:aws:securityhub:{HOME}::{STANDARD}",
        "StandardsSubscriptionArn": account.arn("securityhub", subscription, HOME),
        "StandardsInput": {},
        "StandardsStatus": "READY",
    }
    account.answer("securityhub", "GetEnabledStandards", {"StandardsSubscriptions": [standard]})
