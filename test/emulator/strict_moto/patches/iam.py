"""IAM's managed policies."""

import json
import os

import moto.iam.models

# Those that accounts attach most and that audits ask about. All 1,485 would cost 300 MB and a second for each new account.
OFFERED = [
    "AWSLambdaBasicExecutionRole", "AWSSupportAccess", "AdministratorAccess", "AmazonEC2ReadOnlyAccess", "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess", "AWSCloudShellFullAccess", "IAMFullAccess", "IAMUserChangePassword", "PowerUserAccess",
    "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess",
]  # fmt: skip


def offer_common_managed_policies() -> None:
    """moto has either none of AWS's managed policies or all of them."""
    every = json.loads(moto.iam.models.aws_managed_policies_data)
    moto.iam.models.aws_managed_policies_data = json.dumps({name: every[name] for name in OFFERED})
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
