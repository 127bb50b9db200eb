"""S3: a public bucket among private ones, and buckets as they should be."""

from estate.account import HOME, Account
from estate.policies import EVERYONE, allow, deny_plain_http, document
from estate.services import kms

CLOSED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def neglected(account: Account) -> None:
    website = bucket(account, "website")
    _open(account, website)
    _open(account, bucket(account, "downloads", "us-east-1"))

    exports = bucket(account, "exports", "eu-central-1")
    s3 = account.client("s3", "eu-central-1")
    s3.delete_public_access_block(Bucket=exports)
    s3.put_bucket_ownership_controls(Bucket=exports, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_acl(Bucket=exports, ACL="public-read")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}
    s3.put_bucket_encryption(Bucket=exports, ServerSideEncryptionConfiguration={"Rules": [rule]})

    bucket(account, "logs")  # as AWS makes it: not public, but without versions, access log or TLS policy


def well_kept(account: Account) -> None:
    account.client("s3control").put_public_access_block(AccountId=account.id, PublicAccessBlockConfiguration=CLOSED)
    logs = bucket(account, "access-logs")
    harden(account, logs)
    _accept_access_logs(account, logs)
    documents = bucket(account, "documents")
    harden(account, documents)
    for name in (documents, account.name_of("trail")):  # the latter is cloudtrail's
        account.client("s3").put_bucket_logging(
            Bucket=name, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": f"{name}/"}}
        )


def open_one_more(account: Account) -> None:
    """For `estate change`: the log bucket becomes public."""
    _open(account, account.name_of("logs"))


def close_one(account: Account) -> None:
    """For `estate change`: the website is taken down."""
    website = account.name_of("website")
    s3 = account.client("s3")
    s3.delete_bucket_policy(Bucket=website)
    s3.put_public_access_block(Bucket=website, PublicAccessBlockConfiguration=CLOSED)


def bulk(account: Account, region: str, number: int) -> None:
    bucket(account, f"bulk-{number}", region)


def bucket(account: Account, thing: str, region: str = HOME, **more) -> str:
    """Makes a bucket as AWS makes it today: encrypted and closed. Returns its name."""
    name = account.name_of(thing)
    # us-east-1 is the one region that must not be named.
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    account.client("s3", region).create_bucket(Bucket=name, **location, **more)
    return name


def _open(account: Account, name: str) -> None:
    s3 = account.client("s3")
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=allow(EVERYONE, "s3:GetObject", f"arn:aws:s3:::{name}/*"))


def harden(account: Account, name: str) -> None:
    """Makes a bucket as it should be. A policy that is put later has to demand TLS again."""
    s3 = account.client("s3")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms.key(account, HOME)},
                    "BucketKeyEnabled": True,
                }
            ]
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old-versions",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 365},
                }
            ]
        },
    )
    s3.put_bucket_policy(Bucket=name, Policy=document(_tls_only(name)))


def _accept_access_logs(account: Account, name: str) -> None:
    """Lets S3's log delivery write, on top of what _harden allows."""
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
    }
    account.client("s3").put_bucket_policy(Bucket=name, Policy=document(_tls_only(name), delivery))


def _tls_only(name: str) -> dict:
    return deny_plain_http("s3:*", [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"])
