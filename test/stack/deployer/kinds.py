"""Which types of resources are whose.

What is in none of these tables is the emulator's, and if the emulator does not make it either, the deployment fails: a resource that
is missing in silence makes a test pass that should not.
"""


class Unsupported(Exception):
    """The template has something that neither the emulator nor the host does."""


# Not made at all, and why that changes nothing for a test.
LEFT_OUT = {
    "AWS::ApiGatewayV2::Api": "the host is the HTTP API; its routes are among the facts",
    "AWS::ApiGatewayV2::Stage": "the host has one stage",
    "AWS::ApplicationAutoScaling::ScalableTarget": "the emulator has no capacity to scale",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "the emulator has no capacity to scale",
    "AWS::Backup::BackupPlan": "nothing backs up by the clock in a test",
    "AWS::Backup::BackupSelection": "nothing backs up by the clock in a test",
    "AWS::Backup::BackupVault": "nothing backs up by the clock in a test",
    "AWS::CloudWatch::Alarm": "the emulator has no metrics to alarm about; the definitions are among the facts",
    "AWS::CloudWatch::CompositeAlarm": "the emulator has no metrics to alarm about",
    "AWS::CloudWatch::Dashboard": "nobody looks",
    "AWS::Glue::Database": "no query engine in a test",
    "AWS::Glue::Table": "no query engine in a test",
    "AWS::Lambda::Alias": "the function itself",
    "AWS::Lambda::EventInvokeConfig": "the host retries; the number is among the facts",
    "AWS::Lambda::EventSourceMapping": "the host polls; moto itself would take the messages",
    "AWS::Lambda::Permission": "resource policies of functions are not looked at",
    "AWS::Lambda::Version": "the function itself",
    "AWS::Logs::MetricFilter": "logs are lines handed to the test",
    "AWS::Logs::SubscriptionFilter": "logs are lines handed to the test",
    "AWS::ResourceGroups::Group": "has no behaviour",
    "AWS::Scheduler::Schedule": "the host fires it when a test says so",
    "AWS::Scheduler::ScheduleGroup": "has no behaviour",
}

# Made through the API after the stack, because moto's CloudFormation does not know them. See create.
MADE_BY_API = {"AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}

# moto would make these, but nothing would answer behind them.
NOT_MODELLED = {
    "AWS::ApiGateway::": "only HTTP APIs are modelled (AWS::Serverless::HttpApi)",
    "AWS::CloudFormation::Stack": "nested stacks are not deployed",
    "AWS::Kinesis::": "streams invoke nothing here",
    "AWS::StepFunctions::": "state machines do not run here",
}

# A function cannot have these: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED_VARIABLES = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip


def check(logical_id: str, kind: str) -> None:
    for prefix, why in NOT_MODELLED.items():
        if kind.startswith(prefix):
            raise Unsupported(f"{logical_id} is an {kind}: {why}")


def is_made_by_emulator(kind: str) -> bool:
    return kind not in LEFT_OUT and kind not in MADE_BY_API
