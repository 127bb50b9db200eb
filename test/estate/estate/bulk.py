"""Many small resources, for benchmarks."""

from concurrent.futures import ThreadPoolExecutor

from estate import services
from estate.account import Account

THREADS = 6


# Accounts have most of what networks, identities and logs are made of: that many times as much as of other services.
SHARES = {"ec2": 6, "iam": 5, "logs": 4, "cloudwatch": 2}


def makers() -> list:
    """A function for each turn of a round; it makes one resource, in a region and with a number of its service's own."""
    turns = []
    for module in services.modules():
        if not hasattr(module, "bulk"):
            continue
        share = SHARES.get(module.__name__.rpartition(".")[2], 1)
        for turn in range(share):
            turns.append(lambda account, region, round_, m=module, s=share, t=turn: m.bulk(account, region, round_ * s + t))
    return turns


def make(account: Account, count: int) -> None:
    """Makes count resources, spread over the services that have a bulk() by their shares and over the account's enabled regions."""
    regions = account.regions()
    turns = makers()

    def make_one(index: int) -> None:
        round_number, position = divmod(index, len(turns))
        turns[position](account, regions[round_number % len(regions)], round_number)

    with ThreadPoolExecutor(THREADS) as pool:
        for made in [pool.submit(make_one, index) for index in range(count)]:
            made.result()  # raises what went wrong there
