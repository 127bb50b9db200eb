"""EC2: the network and the disks. What a fresh region has (a default VPC with an open default group) is there without us."""

from estate.account import REGIONS, Account
from estate.services import kms

WORLD = "0.0.0.0/0"
WORLD_V6 = "::/0"


def neglected(account: Account) -> None:
    for region in REGIONS:
        ec2 = account.client("ec2", region)
        _allow_world(account, region, _group(account, region, "ssh-for-all"), 22)
        _allow_world(account, region, _group(account, region, "remote-desktop"), 3389)
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=False)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume, Description="database, before the migration")["SnapshotId"]
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
        )
    _run_instance(account, "eu-west-1", group_name="ssh-for-all", metadata_tokens="optional")


def well_kept(account: Account) -> None:
    for region in REGIONS:
        ec2 = account.client("ec2", region)
        ec2.enable_ebs_encryption_by_default()
        _clear_default_group(account, region)
        web = _group(account, region, "web")
        ec2.authorize_security_group_ingress(
            GroupId=web,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        )
        ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=True, KmsKeyId=kms.key(account, region))
    _run_instance(account, "eu-west-1", group_name="web", metadata_tokens="required")


def bulk(account: Account, region: str, index: int) -> None:
    group = _group(account, region, f"bulk-{index}")
    if index % 3 == 0:
        _allow_world(account, region, group, 22)


def _default_vpc(account: Account, region: str) -> str:
    filters = [{"Name": "is-default", "Values": ["true"]}]
    return account.client("ec2", region).describe_vpcs(Filters=filters)["Vpcs"][0]["VpcId"]


def _group(account: Account, region: str, name: str) -> str:
    ec2 = account.client("ec2", region)
    return ec2.create_security_group(GroupName=name, Description=name, VpcId=_default_vpc(account, region))["GroupId"]


def _allow_world(account: Account, region: str, group: str, port: int) -> None:
    account.client("ec2", region).authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "IpRanges": [{"CidrIp": WORLD}],
                "Ipv6Ranges": [{"CidrIpv6": WORLD_V6}],
            }
        ],
    )


def _clear_default_group(account: Account, region: str) -> None:
    """A default group that lets nothing in or out cannot be used by mistake."""
    ec2 = account.client("ec2", region)
    filters = [{"Name": "group-name", "Values": ["default"]}]
    for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])


def _run_instance(account: Account, region: str, group_name: str, metadata_tokens: str) -> None:
    ec2 = account.client("ec2", region)
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [group_name]}])["SecurityGroups"]
    ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SecurityGroupIds=[group["GroupId"] for group in groups],
        MetadataOptions={"HttpTokens": metadata_tokens, "HttpEndpoint": "enabled"},
    )
