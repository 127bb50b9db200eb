"""Application Load Balancers: one that answers the internet over HTTP, and one within the network that speaks TLS 1.3."""

import functools

from estate.account import HOME, Account

# What AWS sets without being asked, and the emulator does not.
DEFAULTS = {"routing.http.desync_mitigation_mode": "defensive"}


def neglected(account: Account) -> None:
    elbv2 = account.client("elbv2")
    shop = _create(account, HOME, "shop", "internet-facing", {"routing.http.desync_mitigation_mode": "monitor"})
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2.create_listener(LoadBalancerArn=shop, Protocol="HTTP", Port=80, DefaultActions=[answer])


def well_kept(account: Account) -> None:
    attributes = {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": account.name_of("access-logs"),
        "deletion_protection.enabled": "true",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        **DEFAULTS,
    }
    ledger = _create(account, HOME, "ledger", "internal", attributes)
    to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    account.client("elbv2").create_listener(
        LoadBalancerArn=ledger, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "redirect", "RedirectConfig": to_https}]
    )


def bulk(account: Account, region: str, number: int) -> None:
    _create(account, region, f"bulk-{number}", "internal" if number % 2 else "internet-facing", DEFAULTS)


def _create(account: Account, region: str, name: str, scheme: str, attributes: dict[str, str]) -> str:
    elbv2 = account.client("elbv2", region)
    created = elbv2.create_load_balancer(Name=name, Scheme=scheme, Subnets=subnets(account, region)[:2])
    arn = created["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )
    return arn


@functools.cache
def subnets(account: Account, region: str = HOME) -> list[str]:
    """The default subnets of a region, in the order of their zones."""
    found = account.client("ec2", region).describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return [subnet["SubnetId"] for subnet in sorted(found, key=lambda subnet: subnet["AvailabilityZone"])]
