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
