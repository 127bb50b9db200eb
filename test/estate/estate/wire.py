"""Answers in AWS's query protocol, for Account.answer."""

from xml.sax.saxutils import escape


def answer(operation: str, namespace: str, result: str) -> str:
    """The answer of a service like IAM, SNS and RDS."""
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{operation}Response>"
    )


def entries(values: dict) -> str:
    """A map's content."""
    return "".join(f"<entry><key>{escape(key)}</key><value>{escape(str(value))}</value></entry>" for key, value in values.items())
