package eventbridge_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/eventbridge"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

func bus(policy fact.Of[string]) check.Resource {
	return eventbridge.EventBus{Resource: checktest.Ref("events", "event-bus/orders"), Policy: policy}
}

var buses = policytest.Subject{
	NotPublic: "eventbridge-bus-not-public", NoOtherAccounts: "eventbridge-bus-policy-no-other-accounts",
	Action: "events:PutEvents", Resource: "arn:aws:events:eu-west-1:111122223333:event-bus/orders",
	With:   func(policy string) check.Resource { return bus(fact.Known(policy)) },
	Denied: bus(fact.Missing[string](fact.Denied, "events:ListEventBuses")),
}

// TestChecks has, besides the cases of every policy, the conditions that EventBridge's
// policies have: who sends an event chooses its source and type, and the rule that passes it
// on tells its account.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html, 29 November 2026.
func TestChecks(t *testing.T) {
	t.Parallel()
	const own, other = `"arn:aws:events:us-west-2:111122223333:rule/orders/forward"`, `"arn:aws:events:us-west-2:444455556666:rule/orders/forward"`
	source := `{"StringEquals": {"events:source": "com.example.shop", "events:detail-type": "order"}}`
	rule := func(arn string) string { return `{"ArnEquals": {"aws:SourceArn": ` + arn + `}}` }
	creator := func(account string) string { return `{"StringEquals": {"events:creatorAccount": "` + account + `"}}` }
	table := buses.Cases()
	for id, more := range (checktest.Table{
		buses.NotPublic: {
			{Name: "whoever names the source", Resource: buses.Statement(`"*"`, source), Want: check.Fail},
			{Name: "whoever made the rule", Resource: buses.Statement(`"*"`, creator("${aws:PrincipalAccount}")), Want: check.Fail},
			{Name: "for rules of the owner", Resource: buses.Statement(`"*"`, creator("111122223333")), Want: check.Fail},
			{Name: "an account that names the source", Resource: buses.Statement(`{"AWS": "444455556666"}`, source), Want: check.Pass},
			{Name: "by a rule of the owner", Resource: buses.Statement(`"*"`, rule(own)), Want: check.Pass},
			{Name: "by a rule of another account", Resource: buses.Statement(`"*"`, rule(other)), Want: check.Pass},
		},
		buses.NoOtherAccounts: policytest.InZone([]checktest.Case{
			{Name: "an account that names the source", Resource: buses.Statement(`{"AWS": "444455556666"}`, source), Want: check.Fail},
			{Name: "by a rule of the owner", Resource: buses.Statement(`"*"`, rule(own)), Want: check.Pass},
			{Name: "by a rule of another account", Resource: buses.Statement(`"*"`, rule(other)), Want: check.Fail},
		}),
	}) {
		table[id] = append(table[id], more...)
	}
	checktest.Run(t, eventbridge.Service(), table, policytest.Zones())
}
