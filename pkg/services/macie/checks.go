package macie

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// rules has no rule that Macie be enabled: that depends on the region's buckets
// and stands in package across.
func rules() []check.Rule {
	return []check.Rule{
		// Security Hub and Prowler: high. It finds data and closes nothing, and is paid by
		// the bucket and the gigabyte.
		check.For("macie-automated-discovery", model.Low, discovery),
	}
}

func discovery(e *check.Evidence, r RegionSettings) check.Verdict {
	if check.Read(e, r.Status) != Enabled {
		return check.Inapplicable("Macie is not enabled in the region")
	}
	return check.Must(check.Read(e, r.Discovery) == Enabled,
		"automated sensitive data discovery is on", "automated sensitive data discovery is off")
}
