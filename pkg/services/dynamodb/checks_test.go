package dynamodb_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// table is a table as it should be, changed as a case needs.
func table(change func(*dynamodb.Table, *dynamodb.Detail)) dynamodb.Table {
	d := dynamodb.Detail{State: "ACTIVE", Protected: new(true), KMSKey: "arn:aws:kms:eu-west-1:111122223333:key/1"}
	t := dynamodb.Table{Resource: checktest.Ref("dynamodb", "table/orders"), PointInTimeRecovery: fact.Known(true), Policy: fact.Known(""), StreamPolicy: fact.Known("")}
	if change != nil {
		change(&t, &d)
	}
	t.Detail = fact.Known(d)
	return t
}

func withPolicy(policy fact.Of[string]) dynamodb.Table {
	return table(func(t *dynamodb.Table, _ *dynamodb.Detail) { t.Policy = policy })
}

var policies = policytest.Subject{
	NotPublic: "dynamodb-table-not-public", NoOtherAccounts: "dynamodb-table-policy-no-other-accounts",
	Action: "dynamodb:GetItem", Resource: "*",
	With:   func(policy string) check.Resource { return withPolicy(fact.Known(policy)) },
	Denied: withPolicy(fact.Missing[string](fact.Denied, "dynamodb:GetResourcePolicy")),
}

func withStream(policy fact.Of[string]) dynamodb.Table {
	return table(func(t *dynamodb.Table, _ *dynamodb.Detail) { t.StreamPolicy = policy })
}

// streams have a policy of their own, which lets others see the table's items.
var streams = policytest.Subject{
	NotPublic: policies.NotPublic, NoOtherAccounts: policies.NoOtherAccounts,
	Action: "dynamodb:GetRecords", Resource: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2024-02-12T18:57:26.492",
	With:   func(policy string) check.Resource { return withStream(fact.Known(policy)) },
	Denied: withStream(fact.Missing[string](fact.Denied, "dynamodb:GetResourcePolicy")),
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := table(nil)
	cases := policies.Cases()
	for id, more := range streams.Cases() {
		for _, c := range more {
			c.Name = "stream: " + c.Name
			cases[id] = append(cases[id], c)
		}
	}
	maps.Copy(cases, checktest.Table{
		"dynamodb-table-point-in-time-recovery": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: table(func(t *dynamodb.Table, _ *dynamodb.Detail) { t.PointInTimeRecovery = fact.Known(false) }), Want: check.Fail},
		},
		"dynamodb-table-deletion-protection": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.Protected = new(false) }), Want: check.Fail},
			{Name: "not told", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.Protected = nil }), Want: check.NotAssessed},
			{Name: "on its way out", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.Protected, d.State = new(false), "DELETING" }), Want: check.NotApplicable},
		},
		"dynamodb-table-kms-key": {
			{Name: "own key", Resource: good, Want: check.Pass},
			{Name: "key of DynamoDB", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.KMSKey = "" }), Want: check.Fail},
		},
	})
	checktest.Run(t, dynamodb.Service(), cases, policytest.Zones())
}
