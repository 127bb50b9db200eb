"""python -m deployer: deploys a SAM template into the emulator and prints the stack as JSON, or deletes a stack."""

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="deployer", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the emulator's URL")
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--template", type=Path, help="what is deployed; without it the stack is deleted")
    parser.add_argument("--name", required=True, help="of the stack")
    parser.add_argument("--parameters", default="{}", help="a JSON object")
    parser.add_argument("--tags", default="{}", help="a JSON object; of the stack, and of what it makes")
    arguments = parser.parse_args()

    os.environ["AWS_DEFAULT_REGION"] = arguments.region  # samtranslator asks for it
    from deployer import create, facts
    from deployer.kinds import Unsupported
    from deployer.template import Template
    from deployer.world import World

    world = World(arguments.endpoint, arguments.account, arguments.region, arguments.name)
    if arguments.template is None:
        create.delete(world)
        return
    try:
        template = Template(arguments.template, json.loads(arguments.parameters), world)
        resolver = create.stack(world, template, json.loads(arguments.tags))
        json.dump(facts.of(world, template, resolver), sys.stdout)
    except Unsupported as unsupported:
        sys.exit(f"{arguments.template}: {unsupported}")


if __name__ == "__main__":
    main()
