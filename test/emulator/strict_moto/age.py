"""Makes things older than they are: half of what an audit asks about IAM is how long something has been so."""

from datetime import timedelta

from moto.iam.models import iam_backends


def user(name: str, account: str, days: int) -> None:
    """Moves a user's creation, and that of its access keys, into the past. KeyError if there is no such user."""
    aged = iam_backends[account]["aws"].users[name]
    for each in (aged, *aged.access_keys):
        each.create_date -= timedelta(days=days)
