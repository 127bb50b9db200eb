"""EventBridge's rules."""

from moto.events.models import Rule


def match_by_pattern_only() -> None:
    """moto takes a rule without a pattern for one that matches every event, and does not ask whether a rule is enabled. A rule that is
    only a schedule matches none (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html)."""
    send = Rule.send_to_targets

    def send_to_targets(rule: Rule, original_event: dict, transform_input: bool = True) -> None:
        if rule.event_pattern._pattern and rule.state == "ENABLED":
            send(rule, original_event, transform_input)

    Rule.send_to_targets = send_to_targets
