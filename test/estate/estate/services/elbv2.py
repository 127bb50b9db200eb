"""Application Load Balancers: one that answers the internet over HTTP, and one within the network that speaks TLS 1.3."""

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    elbv2 = account.client("elbv2")
    shop = _create(account, "shop", "internet-facing")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2.create_listener(LoadBalancerArn=shop, Protocol="HTTP", Port=80, DefaultActions=[answer])


def well_kept(account: Account) -> None:
    elbv2 = account.client("elbv2")
    ledger = _create(account, "ledger", "internal")
    to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    elbv2.create_listener(
        LoadBalancerArn=ledger, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "redirect", "RedirectConfig": to_https}]
    )
    attributes = {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": account.name_of("access-logs"),
        "deletion_protection.enabled": "true",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
    }
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=ledger, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )


def _create(account: Account, name: str, scheme: str) -> str:
    created = account.client("elbv2").create_load_balancer(Name=name, Scheme=scheme, Subnets=subnets(account)[:2])
    return created["LoadBalancers"][0]["LoadBalancerArn"]


def subnets(account: Account, region: str = HOME) -> list[str]:
    """The default subnets of a region, in the order of their zones."""
    found = account.client("ec2", region).describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return [subnet["SubnetId"] for subnet in sorted(found, key=lambda subnet: subnet["AvailabilityZone"])]
