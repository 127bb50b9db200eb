"""Names the IAM action that an operation needs."""

import csv
import functools
from pathlib import Path

from strict_moto.call import Call

# The prefix of a service's actions is its signing name, but for these.
PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "tagging": "tag"}


def action(call: Call) -> str:
    """For example "s3:GetEncryptionConfiguration" for S3's GetBucketEncryption."""
    if call.service in ("apigateway", "apigatewayv2"):
        return f"apigateway:{call.method}"  # API Gateway grants HTTP methods on paths, not operations
    prefix = PREFIX_OF_SIGNING_NAME.get(call.signing_name, call.signing_name)
    return _exceptions().get((call.service, call.operation), f"{prefix}:{call.operation}")


@functools.cache
def _exceptions() -> dict[tuple[str, str], str]:
    """Operations whose action is not called after them, from the Service Authorization Reference."""
    with (Path(__file__).parent / "iam_actions.tsv").open() as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["service"], row["operation"]): row["iam_action"] for row in rows}
