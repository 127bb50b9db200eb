package sqs

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("sqs-queue-not-public", model.Critical, policies().Asking(policyrule.NotPublic)),
		check.For("sqs-queue-policy-no-other-accounts", model.Medium, policies().Asking(policyrule.NoOtherAccounts)),
		check.For("sqs-queue-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)),
		check.For("sqs-queue-tls-only", model.Low, policies().RequiringTLS("sqs:*")),
		check.For("sqs-queue-encrypted", model.Medium, encrypted),
		check.For("sqs-queue-customer-key", model.Low, customerKey),
		check.Across("sqs-queue-dead-letter-queue", model.Low, deadLetterQueue, check.Using[Queue]()),
	}
}

func encrypted(e *check.Evidence, q Queue) check.Verdict {
	switch a := check.Read(e, q.Attributes); {
	case a.KMSKey != "":
		return check.Passed("messages are encrypted under " + a.KMSKey)
	case a.ManagedSSE:
		return check.Passed("messages are encrypted under a key that SQS owns")
	default:
		return check.Failed("messages are not encrypted")
	}
}

func customerKey(e *check.Evidence, q Queue) check.Verdict {
	a := check.Read(e, q.Attributes)
	switch {
	case a.KMSKey == "":
		return check.Failed("messages are not encrypted under a KMS key")
	case strings.HasSuffix(a.KMSKey, "alias/aws/sqs"):
		return check.Failed("messages are encrypted under the AWS managed key")
	default:
		return check.Passed("messages are encrypted under " + a.KMSKey)
	}
}

func deadLetterQueue(e *check.Evidence, q Queue) check.Verdict {
	if target := check.Read(e, q.Attributes).DeadLetterQueue; target != "" {
		return check.Passed("what cannot be processed goes to " + target)
	}
	queues, _ := check.Some[Queue](e)
	for _, other := range queues {
		if !sameScope(q, other) {
			continue
		}
		if a, known := check.Try(e, other.Attributes); known && a.DeadLetterQueue == q.ARN {
			return check.Inapplicable("the queue is the dead-letter queue of " + other.Name)
		}
	}
	// Only who knows every queue knows that this one is nobody's dead-letter queue.
	for _, other := range check.All[Queue](e) {
		if sameScope(q, other) {
			check.Read(e, other.Attributes)
		}
	}
	return check.Failed("there is no dead-letter queue")
}

// sameScope tells whether one queue can be the other's dead-letter queue: both
// must be of one region.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func sameScope(a, b Queue) bool { return a.Region == b.Region }
