"""Many small resources, for benchmarks."""

from concurrent.futures import ThreadPoolExecutor

from estate import services
from estate.account import Account

THREADS = 6


def make(account: Account, count: int) -> None:
    """Makes count resources, spread evenly over the services that have a bulk() and over the account's enabled regions."""
    regions = account.regions()
    makers = [module.bulk for module in services.modules() if hasattr(module, "bulk")]

    def make_one(index: int) -> None:
        round_number, position = divmod(index, len(makers))
        makers[position](account, regions[round_number % len(regions)], round_number)

    with ThreadPoolExecutor(THREADS) as pool:
        for made in [pool.submit(make_one, index) for index in range(count)]:
            made.result()  # raises what went wrong there
