"""IAM Access Analyzer: no analyzer, or one that watches what others can reach."""

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    account.answer("accessanalyzer", "ListAnalyzers", {"analyzers": []})


def well_kept(account: Account) -> None:
    analyzer = {
        "arn": account.arn("access-analyzer", "analyzer/external-access", HOME),
        "name": "external-access",
        "type": "ACCOUNT",
        "status": "ACTIVE",
        "createdAt": "2025-01-15T09:00:00Z",
    }
    account.answer("accessanalyzer", "ListAnalyzers", {"analyzers": [analyzer]})
