"""CloudTrail: a trail of one region, unencrypted and switched off, against one of all regions."""

from estate.account import HOME, Account
from estate.policies import deny_plain_http, document
from estate.services import kms, s3


def neglected(account: Account) -> None:
    bucket = _trail_bucket(account)
    # A trail nobody switched on again after an outage.
    account.client("cloudtrail").create_trail(Name="main", S3BucketName=bucket, IsMultiRegionTrail=False, EnableLogFileValidation=False)


def well_kept(account: Account) -> None:
    bucket = _trail_bucket(account)
    cloudtrail = account.client("cloudtrail")
    cloudtrail.create_trail(
        Name="organisation",
        S3BucketName=bucket,
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        KmsKeyId=kms.key(account, HOME),
    )
    cloudtrail.put_event_selectors(
        TrailName="organisation",
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}],
    )
    cloudtrail.start_logging(Name="organisation")


def _trail_bucket(account: Account) -> str:
    """A bucket that CloudTrail may write to."""
    name = s3.bucket(account, "trail")
    writer = {"Service": "cloudtrail.amazonaws.com"}
    objects = f"arn:aws:s3:::{name}/*"
    account.client("s3").put_bucket_policy(
        Bucket=name,
        Policy=document(
            {"Effect": "Allow", "Principal": writer, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{name}"},
            {"Effect": "Allow", "Principal": writer, "Action": "s3:PutObject", "Resource": objects},
            deny_plain_http("s3:*", [f"arn:aws:s3:::{name}", objects]),
        ),
    )
    return name
