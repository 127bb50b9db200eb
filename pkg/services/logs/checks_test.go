package logs_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

func group(d logs.Detail) logs.LogGroup {
	if d.Class == "" {
		d.Class = "STANDARD"
	}
	return logs.LogGroup{Resource: checktest.Ref("logs", "log-group:/app/shop"), Detail: fact.Known(d)}
}

func policy(principal string) logs.ResourcePolicy {
	return logs.ResourcePolicy{
		Resource: checktest.Ref("logs", "resource-policy/writers"),
		Document: fact.Known(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": ` + principal + `,
			"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/route53/*"}]}`),
	}
}

func destination(policy fact.Of[string]) check.Resource {
	return logs.Destination{Resource: checktest.Ref("logs", "destination:central"), Policy: policy}
}

var destinations = policytest.Subject{
	NotPublic: "logs-destination-not-public", NoOtherAccounts: "logs-destination-policy-no-other-accounts",
	Action: "logs:PutSubscriptionFilter", Resource: "arn:aws:logs:eu-west-1:111122223333:destination:central",
	With:   func(policy string) check.Resource { return destination(fact.Known(policy)) },
	Denied: destination(fact.Missing[string](fact.Denied, "logs:DescribeDestinations")),
}

func TestChecks(t *testing.T) {
	t.Parallel()
	forEver, aYear := group(logs.Detail{}), group(logs.Detail{Days: 365})
	delivery := group(logs.Detail{Class: "DELIVERY", Days: 2})
	table := destinations.Cases()
	maps.Copy(table, checktest.Table{
		"logs-group-kept-for-a-year": {
			{Name: "a year", Resource: aYear, Want: check.Pass},
			{Name: "for ever", Resource: forEver, Want: check.Pass},
			{Name: "a month", Resource: group(logs.Detail{Days: 30}), Want: check.Fail},
			{Name: "delivery", Resource: delivery, Want: check.NotApplicable},
		},
		"logs-group-retention-set": {
			{Name: "a year", Resource: aYear, Want: check.Pass},
			{Name: "for ever", Resource: forEver, Want: check.Fail},
			{Name: "delivery", Resource: delivery, Want: check.NotApplicable},
		},
		"logs-group-encrypted-with-kms": {
			{Name: "key", Resource: group(logs.Detail{Key: "arn:aws:kms:eu-west-1:111122223333:key/1"}), Want: check.Pass},
			{Name: "none", Resource: forEver, Want: check.Fail},
		},
		"logs-resource-policy-not-public": {
			{Name: "a service", Resource: policy(`{"Service": "route53.amazonaws.com"}`), Want: check.Pass},
			{Name: "another account", Resource: policy(`{"AWS": "444455556666"}`), Want: check.Pass},
			{Name: "everybody", Resource: policy(`"*"`), Want: check.Fail},
			{Name: "not a policy", Resource: logs.ResourcePolicy{
				Resource: checktest.Ref("logs", "resource-policy/writers"), Document: fact.Known("[]"),
			}, Want: check.NotAssessed},
		},
	})
	checktest.Run(t, logs.Service(), table, policytest.Zones())
}
