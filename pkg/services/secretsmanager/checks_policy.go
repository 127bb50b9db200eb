package secretsmanager

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Secret] {
	return policyrule.Source[Secret]{
		Operation: "secretsmanager:GetResourcePolicy",
		Policy:    func(e *check.Evidence, s Secret) string { return check.Read(e, s.Policy) },
	}
}
