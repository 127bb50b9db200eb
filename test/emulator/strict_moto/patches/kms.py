"""KMS: what does not open says why in AWS's words."""

import functools
import json

from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import AccessDeniedException, InvalidCiphertextException
from moto.kms.models import Key, KmsBackend
from moto.kms.responses import KmsResponse


class IncorrectKeyException(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")


def refuse_as_aws() -> None:
    """moto denies access where AWS says that the ciphertext is altered (IncorrectKeyException if it is another key's); and it
    does not look at ReEncrypt's SourceKeyId."""
    decrypt, re_encrypt = KmsBackend.decrypt, KmsResponse.re_encrypt

    @functools.wraps(decrypt)
    def decrypt_as_aws(backend: KmsBackend, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None):
        try:
            plaintext, arn = decrypt(backend, ciphertext_blob, encryption_context)
        except AccessDeniedException:  # its key, which moto writes at the beginning, is none
            raise InvalidCiphertextException() from None
        if key_id is not None and backend.keys[backend.any_id_to_key_id(key_id)].arn != arn:
            raise IncorrectKeyException
        return plaintext, arn

    @functools.wraps(re_encrypt)
    def re_encrypt_from(response: KmsResponse) -> str:
        source = response._get_param("SourceKeyId")
        if source is not None:
            blob, context = response._get_param("CiphertextBlob"), response._get_param("SourceEncryptionContext", {})
            response.kms_backend.decrypt(blob, context, source)
        return re_encrypt(response)

    KmsBackend.decrypt, KmsResponse.re_encrypt = decrypt_as_aws, re_encrypt_from


def keep_policies_as_text() -> None:
    """moto keeps the policy of a key that CloudFormation made as it came, and then fails to read it as text in DescribeKey."""
    init = Key.__init__

    @functools.wraps(init)
    def init_with_text(key: Key, policy: str | dict | None, *args, **kwargs) -> None:
        init(key, json.dumps(policy) if isinstance(policy, dict) else policy, *args, **kwargs)

    Key.__init__ = init_with_text
