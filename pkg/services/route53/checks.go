package route53

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("route53-public-zone-query-logging", model.Medium, public.Then(queryLogging)),
		check.For("route53-public-zone-dnssec", model.Low, public.Unless(createdByService).Then(dnssec)),
	}
}

var public = check.On(func(z HostedZone) fact.Of[Detail] { return z.Detail },
	check.When(func(d Detail) bool { return d.Private }, "the zone is private"))

func createdByService(d Detail) string {
	if d.CreatedBy == "" {
		return ""
	}
	return "the zone is run by " + d.CreatedBy
}

func queryLogging(e *check.Evidence, z HostedZone) check.Verdict {
	groups := check.Read(e, z.QueryLogs)
	return check.Must(len(groups) > 0, "queries are logged to "+check.List(groups), "queries are not logged")
}

func dnssec(e *check.Evidence, z HostedZone) check.Verdict {
	switch state := check.Read(e, z.Signing); state {
	case "SIGNING":
		return check.Passed("answers are signed")
	case "NOT_SIGNING", "DELETING":
		return check.Failed("answers are not signed")
	default:
		return check.Failed("signing is disturbed (" + state + ")")
	}
}
