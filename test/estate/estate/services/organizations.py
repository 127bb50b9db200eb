"""Organizations: an account on its own, and a member of an organization."""

from estate.account import Account

MANAGEMENT_ACCOUNT = "777777777777"
SECURITY_ACCOUNT = "888888888888"
ORGANIZATION = "o-wellkept01"


def neglected(account: Account) -> None:
    """Is in no organization."""


def well_kept(account: Account) -> None:
    account.answer(
        "organizations",
        "DescribeOrganization",
        {
            "Organization": {
                "Id": ORGANIZATION,
                "Arn": f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:organization/{ORGANIZATION}",
                "FeatureSet": "ALL",
                "MasterAccountArn": f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION}/{MANAGEMENT_ACCOUNT}",
                "MasterAccountId": MANAGEMENT_ACCOUNT,
                "MasterAccountEmail": "management@example.com",
                "AvailablePolicyTypes": [],
            }
        },
    )
