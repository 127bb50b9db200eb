"""CloudWatch: an alarm that tells nobody, against alarms on all that the CIS benchmark wants heard, with somebody who hears."""

from estate import cis
from estate.account import HOME, Account
from estate.services import sns


def neglected(account: Account) -> None:
    _cpu(account, ActionsEnabled=False)


def well_kept(account: Account) -> None:
    actions = {"ActionsEnabled": True, "AlarmActions": [sns.security_topic(account)]}
    _cpu(account, **actions)
    for name in cis.PATTERNS:
        _alarm(account, HOME, name, cis.NAMESPACE, name, Statistic="Sum", Threshold=1, **actions)


def bulk(account: Account, region: str, number: int) -> None:
    _alarm(account, region, f"bulk-{number}", "AWS/SQS", "NumberOfMessagesSent", Statistic="Sum", Threshold=1000)


def _cpu(account: Account, **actions) -> None:
    _alarm(account, HOME, "cpu", "AWS/EC2", "CPUUtilization", Statistic="Average", Threshold=90, **actions)


def _alarm(account: Account, region: str, name: str, namespace: str, metric: str, **more) -> None:
    account.client("cloudwatch", region).put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric,
        Period=300,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        **more,
    )
