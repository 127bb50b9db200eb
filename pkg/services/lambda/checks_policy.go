package lambda

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Function] {
	return policyrule.Source[Function]{
		Operation: "lambda:GetPolicy",
		Policy:    func(e *check.Evidence, f Function) string { return check.Read(e, f.Policy) },
	}
}
