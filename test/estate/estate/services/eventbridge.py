"""EventBridge: a default bus that everybody may put events on, and a bus for the account's own events."""

from estate.account import HOME, Account
from estate.policies import EVERYONE, document


def neglected(account: Account) -> None:
    _let_in(account, "default", EVERYONE)


def well_kept(account: Account) -> None:
    account.client("events", HOME).create_event_bus(Name="orders")
    _let_in(account, "orders", {"AWS": f"arn:aws:iam::{account.id}:root"})


def bulk(account: Account, region: str, number: int) -> None:
    account.client("events", region).create_event_bus(Name=f"bulk-{number}")


def _let_in(account: Account, bus: str, principal: str | dict) -> None:
    """moto wants each statement's Sid, and makes an account's root of the principal "*" unless it comes in a policy."""
    arn = account.arn("events", f"event-bus/{bus}", HOME)
    statement = {"Sid": "put", "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": arn}
    account.client("events", HOME).put_permission(EventBusName=bus, Policy=document(statement))
