package kms

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Key] {
	return policyrule.Source[Key]{
		Operation: "kms:GetKeyPolicy",
		Policy:    func(e *check.Evidence, k Key) string { return check.Read(e, k.Policy) },
	}
}

// ofCustomer keeps a rule to the keys that the account manages.
func ofCustomer(rule func(*check.Evidence, Key) check.Verdict) func(*check.Evidence, Key) check.Verdict {
	return func(e *check.Evidence, k Key) check.Verdict {
		if !check.Read(e, k.Detail).Customer() {
			return check.Inapplicable("AWS manages this key")
		}
		return rule(e, k)
	}
}
