package securityhub

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("securityhub-enabled", model.Medium, enabled).WithAccount().CausedBy("securityhub-in-every-region"),
		check.For("securityhub-standard-enabled", model.Low, standardEnabled).WithAccount().CausedBy("securityhub-enabled"),
	}
}

func enabled(e *check.Evidence, r RegionSettings) check.Verdict {
	return check.Must(check.Read(e, r.Hub) != "", "Security Hub is enabled", "Security Hub is not enabled in the region")
}

func standardEnabled(e *check.Evidence, r RegionSettings) check.Verdict {
	if check.Read(e, r.Hub) == "" {
		return check.Failed("Security Hub is not enabled in the region")
	}
	reason := "no standard is enabled"
	for _, s := range check.Read(e, r.Standards) {
		// INCOMPLETE means that some controls could not be switched on.
		if s.Status == "READY" || s.Status == "INCOMPLETE" {
			return check.Passed(s.ARN + " is enabled")
		}
		reason = s.ARN + " is " + s.Status
	}
	return check.Failed(reason)
}
