package sqs_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
)

const arn = "arn:aws:sqs:eu-west-1:111122223333:jobs"

// queue is a queue as SQS makes one today, changed as a case needs.
func queue(change func(*sqs.Attributes)) sqs.Queue {
	a := sqs.Attributes{ManagedSSE: true}
	if change != nil {
		change(&a)
	}
	return sqs.Queue{Resource: checktest.Ref("sqs", "jobs"), Attributes: fact.Known(a)}
}

func withPolicy(document string) sqs.Queue {
	return queue(func(a *sqs.Attributes) { a.Policy = document })
}

func denyPlain(action, resource string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "` + action + `", "Resource": "` + resource + `",
		"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}`
}

// source is another queue, whose messages end in the queue given.
func source(target string) sqs.Queue {
	return sqs.Queue{Resource: checktest.Ref("sqs", "source"), Attributes: fact.Known(sqs.Attributes{DeadLetterQueue: target})}
}

var (
	plain  = queue(nil)
	broken = withPolicy(`[]`)
	denied = sqs.Queue{Resource: checktest.Ref("sqs", "jobs"), Attributes: fact.Missing[sqs.Attributes](fact.Denied, "sqs:GetQueueAttributes")}
)

var policies = policytest.Subject{
	NotPublic: "sqs-queue-not-public", NoOtherAccounts: "sqs-queue-policy-no-other-accounts", ServicesScoped: "sqs-queue-policy-services-scoped",
	Action: "sqs:SendMessage", Resource: arn,
	Service: "sns.amazonaws.com", Scope: `{"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:orders"}}`,
	With: func(policy string) check.Resource { return withPolicy(policy) }, Denied: denied,
}

func TestChecks(t *testing.T) {
	t.Parallel()
	table := policies.Cases()
	maps.Copy(table, checktest.Table{
		"sqs-queue-tls-only": {
			{Name: "denies", Resource: withPolicy(denyPlain("sqs:*", arn)), Want: check.Pass},
			{Name: "denies sending only", Resource: withPolicy(denyPlain("sqs:SendMessage", arn)), Want: check.Fail},
			{Name: "denies of another queue", Resource: withPolicy(denyPlain("sqs:*", arn+"-2")), Want: check.Fail},
			{Name: "no policy", Resource: plain, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
		"sqs-queue-encrypted": {
			{Name: "key of SQS", Resource: plain, Want: check.Pass},
			{Name: "KMS key", Resource: queue(func(a *sqs.Attributes) { a.ManagedSSE, a.KMSKey = false, "alias/aws/sqs" }), Want: check.Pass},
			{Name: "none", Resource: queue(func(a *sqs.Attributes) { a.ManagedSSE = false }), Want: check.Fail},
		},
		"sqs-queue-customer-key": {
			{Name: "own key", Resource: queue(func(a *sqs.Attributes) { a.KMSKey = "alias/jobs" }), Want: check.Pass},
			{Name: "key of SQS", Resource: plain, Want: check.Fail},
			{Name: "AWS managed key", Resource: queue(func(a *sqs.Attributes) { a.KMSKey = "alias/aws/sqs" }), Want: check.Fail},
		},
		"sqs-queue-dead-letter-queue": deadLetterCases(),
	})
	checktest.Run(t, sqs.Service(), table, policytest.Zones())
}

func deadLetterCases() []checktest.Case {
	elsewhere := source(arn)
	elsewhere.Region = "us-east-1"
	unknown := source("")
	unknown.Attributes = fact.Missing[sqs.Attributes](fact.Denied, "sqs:GetQueueAttributes")
	unknownElsewhere := unknown
	unknownElsewhere.Region = "us-east-1"
	return []checktest.Case{
		{Name: "has one", Resource: queue(func(a *sqs.Attributes) { a.DeadLetterQueue = arn + "-failed" }), Others: []check.Resource{unknown}, Want: check.Pass},
		{Name: "is one", Resource: plain, Others: []check.Resource{source(arn), unknown}, Want: check.NotApplicable},
		{Name: "has none", Resource: plain, Others: []check.Resource{source(arn + "-failed")}, Want: check.Fail},
		{Name: "another region's source", Resource: plain, Others: []check.Resource{elsewhere, unknownElsewhere}, Want: check.Fail},
		{Name: "may be one", Resource: plain, Others: []check.Resource{unknown}, Want: check.NotAssessed},
	}
}
