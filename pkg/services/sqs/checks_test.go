package sqs_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/check/checktest"
	"github.com/cloudarq/cloudarq/pkg/fact"
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

// allow is a queue policy of one statement that allows.
func allow(statement string) string {
	return `{"Version": "2012-10-17", "Id": "__default_policy_ID", "Statement": [{"Effect": "Allow", "Resource": "` + arn + `", ` + statement + `}]}`
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
	plain = queue(nil)
	// The policy that SQS's console gives a new queue.
	owner        = withPolicy(allow(`"Sid": "__owner_statement", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "SQS:*"`))
	public       = withPolicy(allow(`"Principal": "*", "Action": "sqs:SendMessage"`))
	foreign      = withPolicy(allow(`"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sqs:ReceiveMessage"`))
	organization = withPolicy(allow(`"Principal": "*", "Action": "sqs:SendMessage", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`))
	topic        = withPolicy(allow(`"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:orders"}}`))
	anyTopic = withPolicy(allow(`"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"`))
	broken   = withPolicy(`[]`)
	denied   = sqs.Queue{Resource: checktest.Ref("sqs", "jobs"), Attributes: fact.Missing[sqs.Attributes](fact.Denied, "sqs:GetQueueAttributes")}
)

func TestChecks(t *testing.T) {
	t.Parallel()
	checktest.Run(t, sqs.Service(), checktest.Table{
		"sqs-queue-not-public": {
			{Name: "no policy", Resource: plain, Want: check.Pass},
			{Name: "owner", Resource: owner, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Pass},
			{Name: "an organization", Resource: organization, Want: check.Pass},
			{Name: "any topic", Resource: anyTopic, Want: check.Pass},
			{Name: "everybody", Resource: public, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
			{Name: "denied", Resource: denied, Want: check.NotAssessed},
		},
		"sqs-queue-policy-no-other-accounts": {
			{Name: "no policy", Resource: plain, Want: check.Pass},
			{Name: "owner", Resource: owner, Want: check.Pass},
			{Name: "everybody, which another check judges", Resource: public, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Fail},
			{Name: "an organization", Resource: organization, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
		"sqs-queue-policy-services-scoped": {
			{Name: "no policy", Resource: plain, Want: check.Pass},
			{Name: "own topic", Resource: topic, Want: check.Pass},
			{Name: "any topic", Resource: anyTopic, Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
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
