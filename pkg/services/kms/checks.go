package kms

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("kms-key-rotation", model.Medium, rotation),
		check.For("kms-key-not-pending-deletion", model.Critical, notPendingDeletion),
		check.For("kms-key-enabled", model.Low, enabled),
		check.For("kms-key-single-region", model.Low, singleRegion).OnlyIfAsked("a matter of taste"),
		check.For("kms-key-not-public", model.Critical, ofCustomer(policies().Asking(policyrule.NotPublic))),
		check.Across("kms-key-policy-no-other-accounts", model.Medium, ofCustomer(policies().AskingZone(policyrule.NoOtherAccounts)), check.Using[policyrule.Zone]()),
	}
}

func rotation(e *check.Evidence, k Key) check.Verdict {
	d := check.Read(e, k.Detail)
	if !d.Rotates() || d.State != "Enabled" {
		return check.Inapplicable("only enabled symmetric customer keys with material from KMS rotate")
	}
	return check.Must(check.Read(e, k.Rotation), "automatic rotation is on", "automatic rotation is off")
}

func notPendingDeletion(e *check.Evidence, k Key) check.Verdict {
	d := check.Read(e, k.Detail)
	if !d.Customer() {
		return check.Inapplicable("AWS manages this key")
	}
	if d.State == "PendingDeletion" || d.State == "PendingReplicaDeletion" {
		if d.Deletion != nil {
			return check.Failed("the key will be deleted on " + d.Deletion.UTC().Format("2006-01-02"))
		}
		return check.Failed("the key waits for its deletion")
	}
	return check.Passed("the key is not about to be deleted")
}

func enabled(e *check.Evidence, k Key) check.Verdict {
	d := check.Read(e, k.Detail)
	switch {
	case !d.Customer():
		return check.Inapplicable("AWS manages this key")
	case d.State == "Enabled":
		return check.Passed("the key is enabled")
	case d.State == "Disabled":
		return check.Failed("the key is disabled, so nobody uses it, and it still costs")
	default:
		return check.Inapplicable("the state of the key is " + d.State)
	}
}

func singleRegion(e *check.Evidence, k Key) check.Verdict {
	d := check.Read(e, k.Detail)
	if !d.Customer() {
		return check.Inapplicable("AWS manages this key")
	}
	return check.Must(!d.MultiRegion, "the key stays in its region", "the key's material is shared with other regions")
}
