"""EC2: the network and the disks. What a fresh region has (a default VPC with an open default group) is there without us."""

import functools

from estate.account import HOME, REGIONS, Account
from estate.policies import allow
from estate.services import elbv2, iam, kms, logs

WORLD = "0.0.0.0/0"
WORLD_V6 = "::/0"
DEFAULT_VPC = "172.31.0.0/16"

IMAGE = "ami-12345678"


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
    groups = account.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["ssh-for-all"]}])["SecurityGroups"]
    _run_instance(
        account,
        ImageId=IMAGE,
        SecurityGroupIds=[group["GroupId"] for group in groups],
        MetadataOptions={"HttpTokens": "optional", "HttpEndpoint": "enabled"},
    )


def well_kept(account: Account) -> None:
    """Has a network in one region only; settings empties the others."""
    ec2 = account.client("ec2")
    for region in account.regions():
        account.client("ec2", region).enable_ebs_encryption_by_default()
    vpc = _close_network(account)
    web = _group(account, HOME, "web")
    https = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": DEFAULT_VPC}]}]
    everything = ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=web, IpPermissions=everything)
    ec2.authorize_security_group_egress(GroupId=web, IpPermissions=https)
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=https)
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{HOME}.ec2",
        VpcEndpointType="Interface",
        SecurityGroupIds=[web],
        PrivateDnsEnabled=True,
        PolicyDocument=allow({"AWS": f"arn:aws:iam::{account.id}:root"}, "ec2:Describe*", "*"),
    )
    key = kms.key(account, HOME)
    disk = {"VolumeSize": 8, "Encrypted": True, "KmsKeyId": key, "DeleteOnTermination": True}
    network = {"DeviceIndex": 0, "SubnetId": elbv2.subnets(account)[0], "Groups": [web], "AssociatePublicIpAddress": False}
    image = ec2.register_image(Name="web", VirtualizationType="hvm")["ImageId"]  # an unknown one makes the instance paravirtual
    _run_instance(
        account,
        ImageId=image,
        NetworkInterfaces=[network],
        MetadataOptions={"HttpTokens": "required", "HttpEndpoint": "enabled"},
        IamInstanceProfile={"Arn": iam.instance_profile(account, "instances")},
        Monitoring={"Enabled": True},
        EbsOptimized=True,
        BlockDeviceMappings=[{"DeviceName": device, "Ebs": disk} for device in ("/dev/sda1", "/dev/sdf")],
    )
    # The image is another account's, so to speak.
    ec2.deregister_image(ImageId=image)
    for snapshot in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
    for volume in ec2.describe_volumes()["Volumes"]:
        ec2.create_snapshot(VolumeId=volume["VolumeId"], Description="nightly")


def bulk(account: Account, region: str, number: int) -> None:
    """Security groups above all, and what else accounts have many of."""
    ec2 = account.client("ec2", region)
    name = f"bulk-{number}"
    match number % 8:
        case 0:
            _allow_world(account, region, _group(account, region, name), 22)
        case 1 | 2:
            _group(account, region, name)
        case 3:
            ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=False)
        case 4:
            disk = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=True)
            ec2.create_snapshot(VolumeId=disk["VolumeId"], Description=name)
        case 5:
            ec2.create_subnet(VpcId=_default_vpc(account, region), CidrBlock=f"172.31.{128 + number % 128}.0/24")
        case 6:
            ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.micro", "ImageId": IMAGE})
        case 7:
            ec2.allocate_address(Domain="vpc")


@functools.cache
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


def _close_network(account: Account) -> str:
    """Makes the default VPC one in which nothing is public by mistake, and returns its id."""
    ec2 = account.client("ec2")
    vpc = _default_vpc(account, HOME)
    _clear_default_group(account, HOME)
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": False})
    acl = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    rule = {"NetworkAclId": acl, "RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": False}
    ec2.replace_network_acl_entry(CidrBlock=DEFAULT_VPC, **rule)
    logs.group(account, HOME, logs.FLOWS)
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=logs.FLOWS,
        DeliverLogsPermissionArn=iam.service_role(account, "flow-logs", "vpc-flow-logs.amazonaws.com"),
    )
    return vpc


def _run_instance(account: Account, **more) -> None:
    account.client("ec2").run_instances(InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)
