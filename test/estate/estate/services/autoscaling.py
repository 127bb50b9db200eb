"""Auto Scaling: a group in one zone with a launch configuration that holds a password. The well-kept account runs functions."""

from estate.account import HOME, Account

USER_DATA = "#!/bin/sh\nexport DB_PASSWORD=correct-horse-battery\n/opt/shop/start\n"


def neglected(account: Account) -> None:
    autoscaling = account.client("autoscaling")
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="shop-2019",
        ImageId="ami-12345678",
        InstanceType="t2.micro",
        AssociatePublicIpAddress=True,
        UserData=USER_DATA,
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="shop",
        LaunchConfigurationName="shop-2019",
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=0,
        AvailabilityZones=[f"{HOME}a"],
    )


def well_kept(account: Account) -> None:
    """Has none."""


def bulk(account: Account, region: str, number: int) -> None:
    account.client("autoscaling", region).create_launch_configuration(
        LaunchConfigurationName=f"bulk-{number}", ImageId="ami-12345678", InstanceType="t3.micro", AssociatePublicIpAddress=number % 2 == 0
    )
