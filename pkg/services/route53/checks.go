package route53

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("route53-public-zone-query-logging", model.Medium, queryLogging),
		check.For("route53-public-zone-dnssec", model.Low, dnssec),
	}
}

func private() check.Verdict { return check.Inapplicable("the zone is private") }

func queryLogging(e *check.Evidence, z HostedZone) check.Verdict {
	if check.Read(e, z.Detail).Private {
		return private()
	}
	groups := check.Read(e, z.QueryLogs)
	return check.Must(len(groups) > 0, "queries are logged to "+check.List(groups), "queries are not logged")
}

func dnssec(e *check.Evidence, z HostedZone) check.Verdict {
	d := check.Read(e, z.Detail)
	switch {
	case d.Private:
		return private()
	case d.CreatedBy != "":
		return check.Inapplicable("the zone is run by " + d.CreatedBy)
	}
	switch state := check.Read(e, z.Signing); state {
	case "SIGNING":
		return check.Passed("answers are signed")
	case "NOT_SIGNING", "DELETING":
		return check.Failed("answers are not signed")
	default:
		return check.Failed("signing is disturbed (" + state + ")")
	}
}
