package route53_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/route53"
)

func zone(d route53.Detail, signing string, logs ...string) route53.HostedZone {
	return route53.HostedZone{
		Resource: checktest.Ref("route53", "hostedzone/Z1"), Detail: fact.Known(d), QueryLogs: fact.Known(logs), Signing: fact.Known(signing),
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	public, private := route53.Detail{}, route53.Detail{Private: true}
	good := zone(public, "SIGNING", "arn:aws:logs:us-east-1:111122223333:log-group:dns")
	inside := zone(private, "NOT_SIGNING")

	checktest.Run(t, route53.Service(), checktest.Table{
		"route53-public-zone-query-logging": {
			{Name: "logged", Resource: good, Want: check.Pass},
			{Name: "not logged", Resource: zone(public, "SIGNING"), Want: check.Fail},
			{Name: "private", Resource: inside, Want: check.NotApplicable},
		},
		"route53-public-zone-dnssec": {
			{Name: "signed", Resource: good, Want: check.Pass},
			{Name: "not signed", Resource: zone(public, "NOT_SIGNING"), Want: check.Fail},
			{Name: "key gone", Resource: zone(public, "ACTION_NEEDED"), Want: check.Fail},
			{Name: "private", Resource: inside, Want: check.NotApplicable},
			{Name: "of Cloud Map", Resource: zone(route53.Detail{CreatedBy: "servicediscovery.amazonaws.com"}, "NOT_SIGNING"), Want: check.NotApplicable},
		},
	})
}
