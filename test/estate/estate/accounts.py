"""The four sample accounts: three that are audited and the platform that audits them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from estate import services
from estate.account import REGIONS, Account
from estate.services import iam, s3

PLATFORM = "999999999999"
AUDIT_ROLE = "CloudArqAuditRole"
ACCOUNT_IDS = {"neglected": "111111111111", "well-kept": "222222222222", "restricted": "333333333333"}

# What the restricted account's owner struck from the role's policy.
WITHHELD = ("kms:", "rds:", "cloudtrail:", "s3:GetBucketPolicy")

# Without a policy of the product: whatever reads, and nothing that reads data.
BROAD_READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["*:Describe*", "*:List*", "*:BatchGet*", "*:Get*", "*:Lookup*", "*:Search*", "apigateway:GET", "iam:Generate*"],
            "Resource": "*",
        },
        {"Effect": "Deny", "Action": ["s3:GetObject*", "secretsmanager:GetSecretValue", "ssm:GetParameter*"], "Resource": "*"},
    ],
}


def seed(endpoint: str, policies: list[dict]) -> Iterator[dict]:
    """Fills the accounts and yields what a caller needs to reach each."""

    def fill(name: str) -> dict:
        account = Account(name, ACCOUNT_IDS[name], endpoint)
        for module in services.modules():
            side = module.well_kept if name == "well-kept" else module.neglected
            side(account)
        return let_audit(account, policies or [BROAD_READ])

    with ThreadPoolExecutor(len(ACCOUNT_IDS)) as pool:
        yield from pool.map(fill, ACCOUNT_IDS)
    yield _platform(endpoint)


def change(endpoint: str) -> list[str]:
    """Changes two things in the neglected account, one for the worse and one for the better."""
    account = Account("neglected", ACCOUNT_IDS["neglected"], endpoint)
    s3.open_one_more(account)
    s3.close_one(account)
    return [f"opened {account.name_of('logs')}", f"closed {account.name_of('website')}"]


def withhold(policy: dict) -> dict:
    """The policy without the withheld actions: struck where they stand, and denied where a wildcard would still allow them."""
    kept = []
    for statement in _statements(policy):
        if statement["Effect"] == "Allow" and "Action" in statement:
            actions = [action for action in _as_list(statement["Action"]) if not action.startswith(WITHHELD)]
            if not actions:
                continue
            statement = statement | {"Action": actions}
        kept.append(statement)
    wildcards = [action.partition("*")[0] for statement in kept for action in _as_list(statement.get("Action", [])) if "*" in action]
    denied = [withheld + "*" for withheld in WITHHELD if withheld.startswith(tuple(wildcards))]
    if denied:
        kept.append({"Effect": "Deny", "Action": denied, "Resource": "*"})
    return policy | {"Statement": kept}


def let_audit(account: Account, policies: list[dict]) -> dict:
    """Makes the role of the product's setup. Several policies become one: the emulator does not limit its size."""
    policy = {"Version": "2012-10-17", "Statement": [statement for each in policies for statement in _statements(each)]}
    if account.name == "restricted":
        policy = withhold(policy)
    external_id = f"external-id-of-{account.name}"
    role_arn = iam.audit_role(account, AUDIT_ROLE, PLATFORM, external_id, policy)
    return {
        "name": account.name,
        "account_id": account.id,
        "role_arn": role_arn,
        "external_id": external_id,
        "regions": REGIONS,
    }


def _statements(policy: dict) -> list[dict]:
    return _as_list(policy["Statement"])


def _as_list(value) -> list:
    """Policies may write a list of one as the value itself."""
    return value if isinstance(value, list) else [value]


def _platform(endpoint: str) -> dict:
    platform = Account("platform", PLATFORM, endpoint)
    key = iam.allow_assuming(platform, "cloudarq-checker", f"arn:aws:iam::*:role/{AUDIT_ROLE}")
    return {
        "name": "platform",
        "account_id": PLATFORM,
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
    }
