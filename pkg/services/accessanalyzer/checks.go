package accessanalyzer

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("accessanalyzer-external-access-analyzer", model.Medium, externalAccess).WithAccount().CausedBy("accessanalyzer-in-every-region"),
	}
}

func externalAccess(e *check.Evidence, r RegionSettings) check.Verdict {
	reason := "no analyzer of the region looks for external access"
	for _, a := range check.Read(e, r.Analyzers) {
		switch {
		case !a.External():
		case a.Status == "ACTIVE":
			return check.Passed("analyzer " + a.Name + " is active")
		default:
			reason = fmt.Sprintf("analyzer %s is in status %s", a.Name, a.Status)
		}
	}
	return check.Failed(reason)
}
