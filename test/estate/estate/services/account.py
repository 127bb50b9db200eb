"""Account Management: whom AWS can reach about the account."""

from estate.account import Account

CONTACTS = {"SECURITY": "+12065550101", "BILLING": "+12065550102", "OPERATIONS": "+12065550103"}


def neglected(account: Account) -> None:
    """Nobody registered alternate contacts."""


def well_kept(account: Account) -> None:
    client = account.client("account")
    for kind, phone in CONTACTS.items():
        team = kind.lower()
        client.put_alternate_contact(
            AlternateContactType=kind, Name=f"{team} team", Title="On call", EmailAddress=f"{team}@example.com", PhoneNumber=phone
        )
