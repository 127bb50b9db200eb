"""CloudWatch: an alarm that tells nobody, against one that notifies a topic."""

from estate.account import HOME, Account


def neglected(account: Account) -> None:
    _alarm(account, ActionsEnabled=False)


def well_kept(account: Account) -> None:
    topic = account.client("sns").create_topic(Name="orders")["TopicArn"]
    _alarm(account, ActionsEnabled=True, AlarmActions=[topic])


def _alarm(account: Account, **actions) -> None:
    account.client("cloudwatch", HOME).put_metric_alarm(
        AlarmName="cpu",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=300,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        **actions,
    )
