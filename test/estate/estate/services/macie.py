"""Macie: off, or on with automated discovery. The emulator has it on from the start."""

from estate.account import Account


def neglected(account: Account) -> None:
    account.refuse("macie2", "GetMacieSession", 403, "AccessDeniedException", "Macie is not enabled.")


def well_kept(account: Account) -> None:
    account.answer(
        "macie2",
        "GetAutomatedDiscoveryConfiguration",
        {
            "status": "ENABLED",
            "autoEnableOrganizationMembers": "NONE",
            "classificationScopeId": "c0ffee00c0ffee00c0ffee00c0ffee00",
            "sensitivityInspectionTemplateId": "5eed00005eed00005eed00005eed0000",
            "firstEnabledAt": "2025-01-15T09:00:00Z",
            "lastUpdatedAt": "2025-01-15T09:00:00Z",
        },
    )
