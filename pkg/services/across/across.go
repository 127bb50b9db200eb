// Package across knows what is right of several services together: that somebody
// hears of changes which CloudTrail records, and that the log of the account is
// kept safe. It collects nothing; the services do.
package across

import (
	_ "embed"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows across services.
func Service() check.Service {
	return check.Service{Name: "across", Title: "Across services", Rules: rules(), Texts: texts}
}

func rules() []check.Rule {
	all := append(trailRules(), bucketRules()...)
	all = slices.Concat(all, regionRules(), everyRegionRules(), networkRules())
	for _, m := range monitored {
		all = append(all, m.rule())
	}
	return all
}
