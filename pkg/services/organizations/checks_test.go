package organizations_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
)

func membership(o organizations.Organization) organizations.Membership {
	return organizations.Membership{Resource: checktest.Ref("organizations", "membership"), Organization: fact.Known(o)}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	in := membership(organizations.Organization{ID: "o-abcde12345", Features: "ALL"})
	billing := membership(organizations.Organization{ID: "o-abcde12345", Features: "CONSOLIDATED_BILLING"})
	alone := membership(organizations.Organization{})

	checktest.Run(t, organizations.Service(), checktest.Table{
		"organizations-account-is-member": {
			{Name: "member", Resource: in, Want: check.Pass},
			{Name: "alone", Resource: alone, Want: check.Fail},
		},
		"organizations-all-features": {
			{Name: "all", Resource: in, Want: check.Pass},
			{Name: "billing only", Resource: billing, Want: check.Fail},
			{Name: "alone", Resource: alone, Want: check.NotApplicable},
		},
	})
}
