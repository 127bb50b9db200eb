"""S3's defaults since April 2023 and April 2026, which moto predates, and writers that do not trip over each other."""

import functools
import threading

from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response


def default_encryption() -> dict:
    """What AWS reports for a bucket nobody configured, in the shape moto keeps."""
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},  # since April 2026
            "BucketKeyEnabled": "false",
        },
    }


def protect_new_buckets() -> None:
    """moto's new buckets have no encryption, no public access block and no ownership rule; AWS's have all three."""
    init = FakeBucket.__init__

    def init_protected(bucket: FakeBucket, *args, **kwargs) -> None:
        init(bucket, *args, **kwargs)
        bucket.encryption = default_encryption()
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = "BucketOwnerEnforced"

    FakeBucket.__init__ = init_protected


def keep_buckets_encrypted() -> None:
    """On AWS DeleteBucketEncryption goes back to the default: a bucket without encryption no longer exists."""

    def delete_bucket_encryption(backend: S3Backend, bucket_name: str) -> None:
        backend.get_bucket(bucket_name).encryption = default_encryption()

    S3Backend.delete_bucket_encryption = delete_bucket_encryption


def tell_blocked_encryption() -> None:
    """moto keeps which encryption a bucket refuses, and leaves it out of its answer. A setting that does not name it changes nothing of it."""
    put = S3Backend.put_bucket_encryption

    def put_bucket_encryption(backend: S3Backend, bucket_name: str, encryption: dict) -> None:
        kept = backend.get_bucket(bucket_name).encryption["Rule"]["BlockedEncryptionTypes"]
        encryption["Rule"].setdefault("BlockedEncryptionTypes", kept)
        put(backend, bucket_name, encryption)

    def get_bucket_encryption(response: S3Response):
        rule = response.backend.get_bucket_encryption(response.bucket_name)["Rule"]
        types = rule["BlockedEncryptionTypes"]["EncryptionType"]
        told = {
            "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            "BlockedEncryptionTypes": {"EncryptionType": [types] if isinstance(types, str) else types},
            "BucketKeyEnabled": rule.get("BucketKeyEnabled") == "true",
        }
        response.data["Action"] = "GetBucketEncryption"
        return response.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [told]}}))

    S3Backend.put_bucket_encryption = put_bucket_encryption
    S3Response.get_bucket_encryption = get_bucket_encryption


def name_regions_of_buckets() -> None:
    """Since 2024 ListBuckets tells the region of each bucket when it is asked with a limit; moto leaves it out."""

    def all_buckets(response: S3Response):
        buckets = response.backend.list_buckets(
            prefix=response._get_param("prefix"),
            bucket_region=response._get_param("bucket-region"),
            max_buckets=response._get_param("max-buckets"),
        )
        response.data["Action"] = "ListBuckets"
        listed = [{"Name": b.name, "CreationDate": b.creation_date_ISO8601, "BucketRegion": b.region_name} for b in buckets]
        return response.serialized(ActionResult({"Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"}, "Buckets": listed}))

    S3Response.all_buckets = all_buckets


def serve_one_call_at_a_time() -> None:
    """moto closes an object's file when another takes its place, also while it still computes the ETag of the first: a 500.

    The lock costs nothing, since one Python process computes one thing at a time anyway.
    """
    lock = threading.RLock()

    def alone(respond):
        @functools.wraps(respond)
        def respond_alone(response: S3Response, request, full_url: str):
            with lock:
                return respond(response, request, full_url)

        return respond_alone

    S3Response._key_response = alone(S3Response._key_response)
    S3Response._bucket_response = alone(S3Response._bucket_response)


def leave_denials_of_bucket_policies_to_the_guard() -> None:
    """moto looks neither at whom a statement is about nor at its conditions, so that the usual "deny what is not TLS" denies everything."""
    permission_by_moto = FakeBucket.get_permission

    def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
        permission = permission_by_moto(bucket, action, resource)
        return PermissionResult.NEUTRAL if permission is PermissionResult.DENIED else permission

    FakeBucket.get_permission = get_permission
