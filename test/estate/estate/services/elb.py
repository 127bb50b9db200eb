"""A Classic Load Balancer that nobody looked at for years. The well-kept account has moved on from them."""

import functools

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    _create(account, HOME, "old-shop", "monitor")


def well_kept(account: Account) -> None:
    """Has none."""


def bulk(account: Account, region: str, number: int) -> None:
    _create(account, region, f"bulk-{number}", "defensive")


def _create(account: Account, region: str, name: str, desync_mitigation: str) -> None:
    elb = account.client("elb", region)
    elb.create_load_balancer(
        LoadBalancerName=name,
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}],
        AvailabilityZones=[f"{region}a"],
        SecurityGroups=[_default_group(account, region)],  # otherwise the emulator makes one, with another name each time
    )
    mode = {"Key": "elb.http.desyncmitigationmode", "Value": desync_mitigation}
    elb.modify_load_balancer_attributes(LoadBalancerName=name, LoadBalancerAttributes={"AdditionalAttributes": [mode]})


@functools.cache
def _default_group(account: Account, region: str) -> str:
    default = [{"Name": "group-name", "Values": ["default"]}]
    return account.client("ec2", region).describe_security_groups(Filters=default)["SecurityGroups"][0]["GroupId"]
