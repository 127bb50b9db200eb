"""AWS's partitions."""

from moto.utilities import utils


def know_all() -> None:
    """moto takes regions of the newest isolated partitions for ones of "aws"."""
    for prefix, name in (("eu-isoe-", "aws-iso-e"), ("us-isof-", "aws-iso-f")):
        utils.REGION_PREFIX_TO_PARTITION[prefix] = name
        if name not in utils.PARTITION_NAMES:
            utils.PARTITION_NAMES.append(name)
