package kms

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("kms-key-rotation", model.Medium, rotation),
		check.For("kms-key-not-pending-deletion", model.Critical, customers.Asks(notPendingDeletion)),
		check.For("kms-key-enabled", model.Low, customers.Asks(enabled)),
		check.For("kms-key-single-region", model.Low, customers.Must(
			func(d Detail) bool { return !d.MultiRegion }, "the key stays in its region", "the key's material is shared with other regions")).OnlyIfAsked("a matter of taste"),
		check.For("kms-key-not-public", model.Critical, customers.Then(policies().Asking(policyrule.NotPublic))),
		check.Across("kms-key-policy-no-other-accounts", model.Medium, customers.Then(policies().AskingZone(policyrule.NoOtherAccounts)), check.Using[policyrule.Zone]()),
	}
}

// customers is what rules decide on that ask of keys that the account manages.
var customers = check.On(func(k Key) fact.Of[Detail] { return k.Detail },
	check.When(func(d Detail) bool { return !d.Customer() }, "AWS manages this key"))

func rotation(e *check.Evidence, k Key) check.Verdict {
	d := check.Read(e, k.Detail)
	if !d.Rotates() || d.State != "Enabled" {
		return check.Inapplicable("only enabled symmetric customer keys with material from KMS rotate")
	}
	return check.Must(check.Read(e, k.Rotation), "automatic rotation is on", "automatic rotation is off")
}

func notPendingDeletion(d Detail) check.Verdict {
	if d.State == "PendingDeletion" || d.State == "PendingReplicaDeletion" {
		if d.Deletion != nil {
			return check.Failed("the key will be deleted on " + d.Deletion.UTC().Format("2006-01-02"))
		}
		return check.Failed("the key waits for its deletion")
	}
	return check.Passed("the key is not about to be deleted")
}

func enabled(d Detail) check.Verdict {
	switch d.State {
	case "Enabled":
		return check.Passed("the key is enabled")
	case "Disabled":
		return check.Failed("the key is disabled, so nobody uses it, and it still costs")
	default:
		return check.Inapplicable("the state of the key is " + d.State)
	}
}
