"""python -m deployer.sam deploy …: what `sam deploy` does as far as docs/operations.md types it, in the emulator.

A stack that is there is not changed in place, which moto cannot do: it is deleted and made anew with the table, bucket and key that it
retains. So names have to last and settings to be complete for it, which changing the stack in AWS asks less of. Where the file
CLOUDARQ_STACK is, is written what became of the stack.
"""

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="sam")
    parser.add_argument("command", choices=["deploy"])
    parser.add_argument("--stack-name", default="cloudarq")
    parser.add_argument("--region", default=os.environ.get("AWS_REGION"))
    parser.add_argument("--parameter-overrides", nargs="*", default=[])
    arguments = parser.parse_args()

    os.environ["AWS_DEFAULT_REGION"] = arguments.region
    from deployer import create, facts
    from deployer.kinds import Unsupported
    from deployer.template import Template
    from deployer.world import World

    world = World(os.environ["AWS_ENDPOINT_URL"], os.environ["ACCOUNT"], arguments.region, arguments.stack_name)
    parameters = _kept(world) | dict(each.split("=", 1) for each in arguments.parameter_overrides)
    path = Path(__file__).parents[3] / "template.yaml"
    try:
        template = Template(path, parameters, world)
        stack = facts.of(world, template, create.stack(world, template))
    except Unsupported as unsupported:
        sys.exit(f"sam: {unsupported}")
    Path(os.environ["CLOUDARQ_STACK"]).write_text(json.dumps(stack))


def _kept(world) -> dict[str, str]:
    """The parameters of the stack that is there, and what it retains; the stack is deleted."""
    from botocore.exceptions import ClientError
    from deployer import create

    cloudformation = world.client("cloudformation")
    try:
        stack = cloudformation.describe_stacks(StackName=world.stack)["Stacks"][0]
    except ClientError:
        return {}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    made = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in cloudformation.describe_stack_resources(StackName=world.stack)["StackResources"]
    }
    if "Key" in made:
        parameters["KeyArn"] = world.arn("kms", f"key/{made['Key'].rpartition('/')[2]}")
    create.delete(world)
    return parameters | {"AdoptTable": "true", "AdoptBucket": "true"}


if __name__ == "__main__":
    main()
