package sns_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
)

const arn = "arn:aws:sns:eu-west-1:111122223333:orders"

// defaultPolicy is the policy that SNS gives a topic made without one.
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
const defaultPolicy = `{"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{"Sid": "__default_statement_ID", "Effect": "Allow",
	"Principal": {"AWS": "*"}, "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
	"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"], "Resource": "` + arn + `",
	"Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}}]}`

// policy is a topic's policy of the statements given.
func policy(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`
}

func allow(principal, more string) string {
	return `{"Effect": "Allow", "Principal": ` + principal + `, "Action": "SNS:Publish", "Resource": "` + arn + `"` + more + `}`
}

func topic(a sns.Attributes) sns.Topic {
	if a.Policy == "" {
		a.Policy = defaultPolicy
	}
	return sns.Topic{Resource: checktest.Ref("sns", "orders"), Attributes: fact.Known(a)}
}

func withPolicy(document string) sns.Topic { return topic(sns.Attributes{Policy: document}) }

func subscription(protocol string) sns.Subscription {
	return sns.Subscription{
		Resource: checktest.Ref("sns", "orders:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"), Detail: fact.Known(sns.Detail{Protocol: protocol}),
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	plain := topic(sns.Attributes{})
	public := withPolicy(policy(allow(`{"AWS": "*"}`, "")))
	foreign := withPolicy(policy(allow(`{"AWS": "arn:aws:iam::444455556666:root"}`, "")))
	organization := withPolicy(policy(allow(`"*"`, `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-zyxwv98765"}}`)))
	bucket := `{"Service": "s3.amazonaws.com"}`
	anyBucket := withPolicy(policy(allow(bucket, "")))
	ownBucket := withPolicy(policy(allow(bucket, `, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}`)))
	tls := `{"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": "` + arn + `", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`
	inPolicy := func(statement string) check.Resource { return withPolicy(policy(statement)) }
	broken := checktest.Case{Name: "not a policy", Resource: withPolicy("[]"), Want: check.NotAssessed}

	checktest.Run(t, sns.Service(), checktest.Table{
		"sns-topic-encrypted-with-kms": {
			{Name: "key", Resource: topic(sns.Attributes{Key: "alias/aws/sns"}), Want: check.Pass},
			{Name: "none", Resource: plain, Want: check.Fail},
		},
		"sns-topic-delivery-logged": {
			{Name: "logged", Resource: topic(sns.Attributes{Logged: []string{"SQS"}}), Want: check.Pass},
			{Name: "none", Resource: plain, Want: check.Fail},
		},
		"sns-topic-not-public": {
			{Name: "default policy", Resource: plain, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Pass},
			{Name: "everybody", Resource: public, Want: check.Fail},
			broken,
		},
		"sns-topic-policy-no-other-accounts": append(policytest.Names("sns:Publish", inPolicy), policytest.InZone([]checktest.Case{
			{Name: "default policy", Resource: plain, Want: check.Pass},
			{Name: "another account", Resource: foreign, Want: check.Fail},
			{Name: "an organization", Resource: organization, Want: check.Fail},
			broken,
		})...),
		"sns-topic-policy-services-scoped": {
			{Name: "default policy", Resource: plain, Want: check.Pass},
			{Name: "buckets of the account", Resource: ownBucket, Want: check.Pass},
			{Name: "anybody's buckets", Resource: anyBucket, Want: check.Fail},
			broken,
		},
		"sns-topic-tls-only": {
			{Name: "denied", Resource: withPolicy(policy(allow(`{"AWS": "111122223333"}`, ""), tls)), Want: check.Pass},
			{Name: "default policy", Resource: plain, Want: check.Fail},
			broken,
		},
		"sns-subscription-no-plain-http": {
			{Name: "https", Resource: subscription("https"), Want: check.Pass},
			{Name: "queue", Resource: subscription("sqs"), Want: check.Pass},
			{Name: "http", Resource: subscription("http"), Want: check.Fail},
		},
	}, policytest.Zones())
}
