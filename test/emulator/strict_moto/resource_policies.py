"""The policies that buckets and keys have of their own.

Only what the same account does is decided here. A Deny of a bucket's counts; an Allow of a bucket's adds nothing that a test needs. A key's
policy must allow the call beside the caller's own policies, which is how AWS does it where the policy names the account.
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
"""

import json
from typing import TYPE_CHECKING

from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

if TYPE_CHECKING:
    from strict_moto.call import Call


def of(call: "Call", resource: str | None) -> dict | None:
    """The policy of what the call is about, or None where there is none."""
    if resource is None:
        return None
    match call.service:
        case "s3":
            bucket = s3_backends[call.account]["aws"].buckets.get(resource.removeprefix("arn:aws:s3:::").partition("/")[0])
            return json.loads(bucket.policy) if bucket is not None and bucket.policy else None
        case "kms":
            key = kms_backends[call.account][call.region].keys.get(resource.rpartition("/")[2])
            return json.loads(key.policy) if key is not None and key.policy else None
    return None

