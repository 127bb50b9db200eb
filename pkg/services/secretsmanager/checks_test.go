package secretsmanager_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
)

// secret is a young secret that rotates, changed as a case needs.
func secret(change func(*secretsmanager.Detail)) secretsmanager.Secret {
	d := secretsmanager.Detail{
		KMSKey: "arn:aws:kms:eu-west-1:111122223333:key/1", Created: *ago(300), Changed: ago(3), Accessed: ago(1),
		Rotation: secretsmanager.Rotation{Enabled: true, Days: 30, Last: ago(3), Next: ago(-27)},
	}
	if change != nil {
		change(&d)
	}
	return secretsmanager.Secret{Resource: checktest.Ref("secretsmanager", "secret:db-AbCdEf"), Detail: fact.Known(d), Policy: fact.Known("")}
}

// manual is a secret that is not rotated.
func manual(change func(*secretsmanager.Detail)) secretsmanager.Secret {
	return secret(func(d *secretsmanager.Detail) {
		d.Rotation = secretsmanager.Rotation{}
		if change != nil {
			change(d)
		}
	})
}

// ago is so many days before the time of judging.
func ago(days int) *time.Time { return new(checktest.Now.AddDate(0, 0, -days)) }

func withPolicy(policy fact.Of[string]) secretsmanager.Secret {
	s := secret(nil)
	s.Policy = policy
	return s
}

var policies = policytest.Subject{
	NotPublic: "secretsmanager-secret-not-public", NoOtherAccounts: "secretsmanager-secret-policy-no-other-accounts",
	ServicesScoped: "secretsmanager-secret-policy-services-scoped",
	Action:         "secretsmanager:GetSecretValue", Resource: "*",
	Service: "dms.amazonaws.com", Scope: `{"StringEquals": {"aws:SourceAccount": "111122223333"}}`,
	With:   func(policy string) check.Resource { return withPolicy(fact.Known(policy)) },
	Denied: withPolicy(fact.Missing[string](fact.Denied, "secretsmanager:GetResourcePolicy")),
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := secret(nil)
	ofService := manual(func(d *secretsmanager.Detail) { d.OwningService = "rds" })
	replica := manual(func(d *secretsmanager.Detail) { d.PrimaryRegion = "us-east-1" })
	primary := secret(func(d *secretsmanager.Detail) { d.PrimaryRegion = "eu-west-1" })

	table := rotationCases()
	maps.Copy(table, policies.Cases())
	table["secretsmanager-secret-used-90-days"] = []checktest.Case{
		{Name: "read yesterday", Resource: good, Want: check.Pass},
		{Name: "read on the last day", Resource: secret(func(d *secretsmanager.Detail) { d.Accessed = ago(90) }), Want: check.Pass},
		{Name: "read long ago", Resource: secret(func(d *secretsmanager.Detail) { d.Accessed = ago(120) }), Want: check.Fail},
		{Name: "never read", Resource: secret(func(d *secretsmanager.Detail) { d.Accessed = nil }), Want: check.Fail},
		{Name: "not read yet", Resource: secret(func(d *secretsmanager.Detail) { d.Accessed, d.Created = nil, *ago(10) }), Want: check.Pass},
		{Name: "of a service", Resource: ofService, Want: check.NotApplicable},
		{Name: "replica", Resource: replica, Want: check.NotApplicable},
	}
	table["secretsmanager-secret-customer-key"] = []checktest.Case{
		{Name: "own key", Resource: good, Want: check.Pass},
		{Name: "none", Resource: secret(func(d *secretsmanager.Detail) { d.KMSKey = "" }), Want: check.Fail},
		{Name: "AWS managed key", Resource: secret(func(d *secretsmanager.Detail) { d.KMSKey = "alias/aws/secretsmanager" }), Want: check.Fail},
		{Name: "of a service", Resource: ofService, Want: check.NotApplicable},
	}
	table["secretsmanager-secret-rotation"] = []checktest.Case{
		{Name: "rotates", Resource: good, Want: check.Pass},
		{Name: "primary", Resource: primary, Want: check.Pass},
		{Name: "does not", Resource: manual(nil), Want: check.Fail},
		{Name: "of a service", Resource: ofService, Want: check.NotApplicable},
		{Name: "replica", Resource: replica, Want: check.NotApplicable},
	}
	checktest.Run(t, secretsmanager.Service(), table, policytest.Zones())
}

func rotationCases() checktest.Table {
	rotated := func(last, next *time.Time) secretsmanager.Secret {
		return secret(func(d *secretsmanager.Detail) { d.Rotation.Last, d.Rotation.Next = last, next })
	}
	return checktest.Table{
		"secretsmanager-secret-rotated-as-scheduled": {
			{Name: "in time", Resource: rotated(ago(3), ago(-27)), Want: check.Pass},
			{Name: "due today", Resource: rotated(ago(31), ago(1)), Want: check.Pass},
			{Name: "first one to come", Resource: rotated(nil, ago(-5)), Want: check.Pass},
			{Name: "overdue", Resource: rotated(ago(40), ago(10)), Want: check.Fail},
			{Name: "overdue, by the last one", Resource: rotated(ago(40), nil), Want: check.Fail},
			{Name: "never", Resource: rotated(nil, nil), Want: check.Fail},
			{Name: "of a service, overdue", Resource: secret(func(d *secretsmanager.Detail) {
				d.OwningService, d.Rotation.Next = "rds", ago(10)
			}), Want: check.Fail},
			{Name: "not rotated", Resource: manual(nil), Want: check.NotApplicable},
			{Name: "replica", Resource: manual(func(d *secretsmanager.Detail) { d.PrimaryRegion = "us-east-1" }), Want: check.NotApplicable},
		},
		"secretsmanager-secret-renewed-90-days": {
			{Name: "rotated", Resource: rotated(ago(80), nil), Want: check.Pass},
			{Name: "changed by hand", Resource: manual(nil), Want: check.Pass},
			{Name: "new", Resource: manual(func(d *secretsmanager.Detail) { d.Created, d.Changed = *ago(2), nil }), Want: check.Pass},
			{Name: "rotated long ago, tagged since", Resource: rotated(ago(120), nil), Want: check.Fail},
			{Name: "untouched", Resource: manual(func(d *secretsmanager.Detail) { d.Changed = ago(91) }), Want: check.Fail},
			{Name: "never touched", Resource: manual(func(d *secretsmanager.Detail) { d.Changed = nil }), Want: check.Fail},
			{Name: "of a service", Resource: manual(func(d *secretsmanager.Detail) { d.OwningService = "rds" }), Want: check.NotApplicable},
		},
	}
}
