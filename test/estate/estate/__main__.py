"""python -m estate: fills the emulator's sample accounts.

seed prints a line of JSON per account, corners one: what an auditor needs to reach it. change prints what it changed.
"""

import argparse
import json
from pathlib import Path

from estate import accounts, bulk, corners
from estate.account import Account


def main() -> None:
    parser = argparse.ArgumentParser(prog="estate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    seed = commands.add_parser("seed", help="fill the accounts of a fresh emulator")
    seed.add_argument("--endpoint", required=True, help="the emulator's URL")
    seed.add_argument(
        "--policy", type=Path, action="append", default=[], metavar="FILE", help="an IAM policy of the audit role; repeatable"
    )
    seed.add_argument("--scale", type=int, default=0, metavar="N", help="N further small resources in the neglected account")
    rare = commands.add_parser("corners", help="fill one more account, with what the others lack")
    rare.add_argument("--endpoint", required=True, help="the emulator's URL")
    rare.add_argument(
        "--policy", type=Path, action="append", default=[], metavar="FILE", help="an IAM policy of its audit role; repeatable"
    )
    change = commands.add_parser("change", help="change two things in the neglected account")
    change.add_argument("--endpoint", required=True, help="the emulator's URL")
    arguments = parser.parse_args()

    if arguments.command == "change":
        for changed in accounts.change(arguments.endpoint):
            print(changed)
        return
    policies = [json.loads(path.read_text()) for path in arguments.policy]
    if arguments.command == "corners":
        print(json.dumps(corners.seed(arguments.endpoint, policies)))
        return
    for reachable in accounts.seed(arguments.endpoint, policies):
        print(json.dumps(reachable), flush=True)
    if arguments.scale:
        bulk.make(Account("neglected", accounts.ACCOUNT_IDS["neglected"], arguments.endpoint), arguments.scale)


if __name__ == "__main__":
    main()
