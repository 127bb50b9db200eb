"""ECR: a repository that anybody may pull from, and one that scans, keeps its tags and throws old images away."""

import json

from estate.account import HOME, Account
from estate.services import kms

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
# ECR takes no Resource in a repository's policy.
PULL_BY_ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": PULL}]}

EXPIRE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
            "action": {"type": "expire"},
        }
    ]
}


def neglected(account: Account) -> None:
    ecr = account.client("ecr")
    ecr.create_repository(repositoryName="shop/web")
    ecr.set_repository_policy(repositoryName="shop/web", policyText=json.dumps(PULL_BY_ANYBODY))


def well_kept(account: Account) -> None:
    ecr = account.client("ecr")
    ecr.create_repository(
        repositoryName="ledger/api",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": kms.key(account, HOME)},
    )
    ecr.put_lifecycle_policy(repositoryName="ledger/api", lifecyclePolicyText=json.dumps(EXPIRE))


def bulk(account: Account, region: str, number: int) -> None:
    account.client("ecr", region).create_repository(repositoryName=f"bulk-{number}")
