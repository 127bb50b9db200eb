package sqs

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Queue] {
	return policyrule.Source[Queue]{
		Operation: "sqs:GetQueueAttributes",
		Policy:    func(e *check.Evidence, q Queue) string { return check.Read(e, q.Attributes).Policy },
	}
}
