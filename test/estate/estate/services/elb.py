"""A Classic Load Balancer that nobody looked at for years. The well-kept account has moved on from them."""

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    groups = account.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
    account.client("elb").create_load_balancer(
        LoadBalancerName="old-shop",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}],
        AvailabilityZones=[f"{HOME}a"],
        SecurityGroups=[groups[0]["GroupId"]],  # otherwise the emulator makes one, with another name each time
    )


def well_kept(account: Account) -> None:
    """Has none."""
