package across

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// regionRules are on services that are switched on region by region.
func regionRules() []check.Rule {
	return []check.Rule{
		check.Across("macie-enabled", model.Low, macieEnabled, check.Using[s3.Bucket]()),
		check.Across("config-global-types-recorded", model.Medium, globalTypes, check.Using[config.RegionSettings]()),
	}
}

// macieEnabled asks for Macie only where there is something for it to look at.
func macieEnabled(e *check.Evidence, r macie.RegionSettings) check.Verdict {
	status := check.Read(e, r.Status)
	if status == macie.Enabled {
		return check.Passed("Macie is enabled")
	}
	switch buckets := len(check.AllIn[s3.Bucket](e, r.Region)); {
	case buckets == 0:
		return check.Inapplicable("there is no bucket in the region")
	case status == "":
		return check.Failed(fmt.Sprintf("Macie is not enabled, and the region has buckets: %d", buckets))
	default:
		return check.Failed(fmt.Sprintf("Macie is %s, and the region has buckets: %d", status, buckets))
	}
}

// globalTypes wants a region where Config records users, groups, roles and
// policies; to record them in each is neither needed nor cheap.
func globalTypes(e *check.Evidence, _ iam.Account) check.Verdict {
	s := newSearch(e, "Config does not record the resources of IAM in any region")
	regions, gaps := check.Some[config.RegionSettings](e)
	s.gap(gaps...)
	for _, r := range regions {
		recorders, _ := look(s, r.Recorders)
		statuses, _ := look(s, r.Statuses)
		for _, recorder := range recorders {
			for _, status := range statuses {
				if status.Name == recorder.Name && status.Recording && recorder.RecordsGlobal() {
					return check.Passed("Config records the resources of IAM in " + r.Region)
				}
			}
		}
	}
	return s.failed()
}
