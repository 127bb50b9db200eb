"""CloudFormation's change sets."""

import functools

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Change, ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse


def review_one_stack_of_a_name() -> None:
    """moto makes a stack for each change set of type CREATE, several of one name if need be; AWS adds to the one under review."""
    create = CloudFormationBackend.create_change_set

    @functools.wraps(create)
    def create_change_set(backend: CloudFormationBackend, **given) -> tuple[str, str]:
        name, first = given["stack_name"], given["change_set_type"] == "CREATE"
        there = next((stack for stack in backend.stacks.values() if stack.name == name), None) if first else None
        if there is not None and there.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                message=f"Stack [{name}] already exists and cannot be created again with the changeSet [{given['change_set_name']}]."
            )
        change_set_id, stack_id = create(backend, **given)
        if there is None:
            return change_set_id, stack_id
        del backend.stacks[stack_id]
        change_set = backend.change_sets[change_set_id]
        change_set.stack, change_set.stack_id = there, there.stack_id
        return change_set_id, there.stack_id

    CloudFormationBackend.create_change_set = create_change_set


def list_changes_of_parameters() -> None:
    """moto compares templates alone, although a parameter changes the resources that refer to it."""

    def diff(change_set: ChangeSet) -> list[Change]:
        old, new = change_set.stack.resource_map, change_set.template_dict["Resources"]
        actions = old.build_resource_diff(change_set.template_dict, change_set.parameters)
        return [
            Change(action, name, (old._resource_json_map if action == "Remove" else new)[name]["Type"])
            for action, names in actions.items()
            for name in names
        ]

    ChangeSet.diff = diff


def fail_change_sets_without_changes() -> None:
    """moto refuses to make a change set that changes nothing; AWS makes it, and it fails."""
    validate = CloudFormationResponse._validate_different_update

    @functools.wraps(validate)
    def validate_update(response: CloudFormationResponse, *given) -> None:
        if response._get_action() != "CreateChangeSet":
            validate(response, *given)

    CloudFormationResponse._validate_different_update = validate_update


def let_change_sets_change_the_stack() -> None:
    """moto makes the resources, but leaves the stack without its new outputs and parameters, and its other change sets in place."""
    execute = CloudFormationBackend.execute_change_set

    @functools.wraps(execute)
    def execute_change_set(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = backend.describe_change_set(change_set_name)
        execute(backend, change_set_name, stack_name)
        stack = backend.stacks[change_set.stack_id]
        stack.parameters = change_set.parameters
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        for key, other in list(backend.change_sets.items()):
            if other.stack_id == stack.stack_id and other is not change_set:
                del backend.change_sets[key]

    CloudFormationBackend.execute_change_set = execute_change_set


def roll_back_stacks_that_fail() -> None:
    """moto leaves what it made when a resource cannot be made, and a stack without an end. AWS takes it back, and says what failed.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
    """
    create = Stack.create_resources

    @functools.wraps(create)
    def create_resources(stack: Stack) -> None:
        try:
            create(stack)
        except ValidationError:  # the template itself is wrong, which CreateStack answers at once
            raise
        except Exception as error:
            stack._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=str(error))
            stack.resource_map.delete_made()
            stack.status = "ROLLBACK_COMPLETE"
            stack._add_stack_event("ROLLBACK_COMPLETE")

    def delete_made(resources: ResourceMap) -> None:
        for name in reversed(list(resources._parsed_resources)):
            made = resources._parsed_resources[name]
            if name in resources._resource_json_map and made is not None and not isinstance(made, str):
                resources._delete_resource(made, resources._resource_json_map[name])
                resources._parsed_resources.pop(name)

    Stack.create_resources = create_resources
    ResourceMap.delete_made = delete_made


def retain_what_policies_say() -> None:
    """moto knows the deletion policy Retain; RetainExceptOnCreate is the same when a stack is deleted that was made once.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    delete = ResourceMap.delete

    @functools.wraps(delete)
    def delete_unretained(resources: ResourceMap) -> None:
        policies = {"Delete", "Retain", "RetainExceptOnCreate"}
        for name, resource in resources._resource_json_map.items():
            policy = resource.get("DeletionPolicy", "Delete")
            if policy not in policies:
                raise ValidationError(message=f"the emulator does not know the deletion policy {policy} of {name}")
            if policy == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"
        delete(resources)

    ResourceMap.delete = delete_unretained


# The most characters of a name that CloudFormation makes, where a stack's name of 128 could bring more: the services' own limits.
# https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html (2026-11-30)
LONGEST_NAMES = {"AWS::Events::Rule": 64, "AWS::IAM::Role": 64, "AWS::Lambda::Function": 64, "AWS::SQS::Queue": 80}


def cut_generated_names() -> None:
    """moto makes names as long as the stack's makes them; CloudFormation cuts the stack's and the resource's part, and keeps what is random."""
    generate = parsing.generate_resource_name

    @functools.wraps(generate)
    def generate_resource_name(resource_type: str, stack_name: str, logical_id: str) -> str:
        most = LONGEST_NAMES.get(resource_type)
        if most is None or len(stack_name) + len(logical_id) + 2 + len(parsing.random_suffix()) <= most:
            return generate(resource_type, stack_name, logical_id)
        suffix = parsing.random_suffix()
        half = (most - len(suffix) - 2) // 2
        return f"{stack_name[:half]}-{logical_id[:half]}-{suffix}"

    parsing.generate_resource_name = generate_resource_name
