"""IAM's managed policies, and its credential report."""

import datetime
import json
import os

import moto.iam.models
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

# Those that accounts attach most and that audits ask about. All 1,485 would cost 300 MB and a second for each new account.
OFFERED = [
    "AWSCloudShellFullAccess", "AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSSupportAccess",
    "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AdministratorAccess", "AmazonEC2ReadOnlyAccess", "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess", "IAMFullAccess", "IAMUserChangePassword", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit",
    "ViewOnlyAccess",
]  # fmt: skip


def offer_common_managed_policies() -> None:
    """moto has either none of AWS's managed policies or all of them."""
    every = json.loads(moto.iam.models.aws_managed_policies_data)
    moto.iam.models.aws_managed_policies_data = json.dumps({name: every[name] for name in OFFERED})
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"


def report_root_user() -> None:
    """AWS's credential report begins with the root user, and says when it was made; moto's has no such row and is of 2015."""

    def get_credential_report(response: IamResponse) -> ActionResult:
        report = response.backend.get_credential_report()
        header, _, users = report.partition("\n")
        root = dict.fromkeys(header.split(","), "N/A") | {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{response.current_account}:root",
            "user_creation_time": "2020-01-01T00:00:00+00:00",
            "password_enabled": "not_supported",
            "password_last_used": "no_information",
            "password_last_changed": "not_supported",
            "password_next_rotation": "not_supported",
        }
        root |= {column: "false" for column in root if column.endswith("_active")}
        content = "\n".join([header, ",".join(root.values()), users])
        made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return ActionResult({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": made})

    IamResponse.get_credential_report = get_credential_report
