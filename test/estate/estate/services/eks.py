"""EKS: a forgotten cluster that is open to the internet, and one that answers in its network only."""

from estate.account import HOME, Account
from estate.services import elbv2, kms

LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def neglected(account: Account) -> None:
    _create(account, "shop", "1.24", {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]})


def well_kept(account: Account) -> None:
    _create(
        account,
        "ledger",
        "1.34",
        {"endpointPublicAccess": False, "endpointPrivateAccess": True},
        logging={"clusterLogging": [{"types": LOGS, "enabled": True}]},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": kms.key(account, HOME)}}],
    )


def bulk(account: Account, region: str, number: int) -> None:
    _create(account, f"bulk-{number}", "1.34", {"endpointPublicAccess": number % 2 == 0, "endpointPrivateAccess": True}, region)


def _create(account: Account, name: str, version: str, network: dict, region: str = HOME, **more) -> None:
    account.client("eks", region).create_cluster(
        name=name,
        version=version,
        roleArn=account.arn("iam", "role/clusters"),  # which the emulator does not look for
        resourcesVpcConfig={"subnetIds": elbv2.subnets(account, region)[:2], **network},
        **more,
    )
