"""EFS: files that anybody in the network may mount, unencrypted, and files behind an access point."""

from estate.account import HOME, Account
from estate.policies import deny_plain_http, document
from estate.services import elbv2, kms


def neglected(account: Account) -> None:
    efs = account.client("efs")
    file_system = efs.create_file_system(CreationToken="uploads", Encrypted=False, Tags=[{"Key": "Name", "Value": "uploads"}])
    efs.create_mount_target(FileSystemId=file_system["FileSystemId"], SubnetId=elbv2.subnets(account)[0])
    efs.create_access_point(ClientToken="uploads", FileSystemId=file_system["FileSystemId"])


def well_kept(account: Account) -> None:
    efs = account.client("efs")
    file_system = efs.create_file_system(
        CreationToken="uploads", Encrypted=True, KmsKeyId=kms.key(account, HOME), Backup=True, Tags=[{"Key": "Name", "Value": "uploads"}]
    )
    fs_id = file_system["FileSystemId"]
    efs.put_file_system_policy(FileSystemId=fs_id, Policy=document(deny_plain_http("*", file_system["FileSystemArn"])))
    for subnet in elbv2.subnets(account)[:2]:
        efs.create_mount_target(FileSystemId=fs_id, SubnetId=subnet)
    efs.create_access_point(
        ClientToken="uploads", FileSystemId=fs_id, PosixUser={"Uid": 1001, "Gid": 1001}, RootDirectory={"Path": "/uploads"}
    )


def bulk(account: Account, region: str, number: int) -> None:
    account.client("efs", region).create_file_system(CreationToken=f"bulk-{number}", Encrypted=number % 2 == 0)
