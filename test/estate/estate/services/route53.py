"""Route 53: a public zone whose queries nobody sees."""

from estate.account import Account


def neglected(account: Account) -> None:
    account.client("route53").create_hosted_zone(Name="example.com", CallerReference="neglected")


def well_kept(account: Account) -> None:
    """The domain is with another provider."""


def bulk(account: Account, region: str, number: int) -> None:
    account.client("route53").create_hosted_zone(Name=f"bulk-{number}.example.com", CallerReference=f"bulk-{number}")
