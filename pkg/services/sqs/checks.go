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
		check.Across("sqs-queue-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
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
	// Both queues must be of one region.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
	sources, gaps := byDeadLetterQueue.SomeIn(e, q.Region, q.ARN)
	if len(sources) > 0 {
		check.Read(e, sources[0].Attributes)
		return check.Inapplicable("the queue is the dead-letter queue of " + sources[0].Name)
	}
	// Only who knows every queue knows that this one is nobody's dead-letter queue.
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("there is no dead-letter queue")
}

var byDeadLetterQueue = check.NewIndex(func(e *check.Evidence, q Queue) []string {
	return []string{check.Read(e, q.Attributes).DeadLetterQueue}
})
