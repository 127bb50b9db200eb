package dynamodb_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/check/checktest"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
)

// table is a table as it should be, changed as a case needs.
func table(change func(*dynamodb.Table, *dynamodb.Detail)) dynamodb.Table {
	d := dynamodb.Detail{Status: "ACTIVE", BillingMode: "PAY_PER_REQUEST", Protected: true, KMSKey: "arn:aws:kms:eu-west-1:111122223333:key/1"}
	t := dynamodb.Table{Resource: checktest.Ref("dynamodb", "table/orders"), PointInTimeRecovery: fact.Known(true), Policy: fact.Known("")}
	if change != nil {
		change(&t, &d)
	}
	t.Detail = fact.Known(d)
	return t
}

func withPolicy(statement string) dynamodb.Table {
	return table(func(t *dynamodb.Table, _ *dynamodb.Detail) {
		t.Policy = fact.Known(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": "dynamodb:GetItem", ` + statement + `}]}`)
	})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := table(nil)
	own := withPolicy(`"Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"}`)
	public := withPolicy(`"Principal": "*"`)
	foreign := withPolicy(`"Principal": {"AWS": "arn:aws:iam::444455556666:root"}`)
	organization := withPolicy(`"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`)
	broken := table(func(t *dynamodb.Table, _ *dynamodb.Detail) { t.Policy = fact.Known("[]") })
	denied := table(func(t *dynamodb.Table, _ *dynamodb.Detail) {
		t.Policy = fact.Missing[string](fact.Denied, "dynamodb:GetResourcePolicy")
	})

	checktest.Run(t, dynamodb.Service(), checktest.Table{
		"dynamodb-table-point-in-time-recovery": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: table(func(t *dynamodb.Table, _ *dynamodb.Detail) { t.PointInTimeRecovery = fact.Known(false) }), Want: check.Fail},
		},
		"dynamodb-table-deletion-protection": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.Protected = false }), Want: check.Fail},
			{Name: "on its way out", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.Protected, d.Status = false, "DELETING" }), Want: check.NotApplicable},
		},
		"dynamodb-table-kms-key": {
			{Name: "own key", Resource: good, Want: check.Pass},
			{Name: "key of DynamoDB", Resource: table(func(_ *dynamodb.Table, d *dynamodb.Detail) { d.KMSKey = "" }), Want: check.Fail},
		},
		"dynamodb-table-not-public": {
			{Name: "no policy", Resource: good, Want: check.Pass},
			{Name: "own role", Resource: own, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Pass},
			{Name: "everybody", Resource: public, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
			{Name: "denied", Resource: denied, Want: check.NotAssessed},
		},
		"dynamodb-table-policy-no-other-accounts": {
			{Name: "no policy", Resource: good, Want: check.Pass},
			{Name: "own role", Resource: own, Want: check.Pass},
			{Name: "everybody, which another check judges", Resource: public, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Fail},
			{Name: "an organization", Resource: organization, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
	})
}
