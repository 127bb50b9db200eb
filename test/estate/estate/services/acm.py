"""ACM: a wildcard certificate whose request nobody validated, and one that names its host."""

from estate.account import Account


def neglected(account: Account) -> None:
    account.client("acm").request_certificate(DomainName="*.example.com", ValidationMethod="EMAIL")


def well_kept(account: Account) -> None:
    account.client("acm").request_certificate(DomainName="www.example.com", ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1")


def bulk(account: Account, region: str, number: int) -> None:
    account.client("acm", region).request_certificate(DomainName=f"bulk-{number}.example.com", ValidationMethod="DNS")
