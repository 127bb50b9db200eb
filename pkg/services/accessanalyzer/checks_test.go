package accessanalyzer_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

func region(analyzers ...accessanalyzer.Analyzer) accessanalyzer.RegionSettings {
	return accessanalyzer.RegionSettings{Resource: checktest.Ref("access-analyzer", "region-settings"), Analyzers: fact.Known(analyzers)}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	account := accessanalyzer.Analyzer{Name: "account", Type: "ACCOUNT", Status: "ACTIVE"}
	organization := accessanalyzer.Analyzer{Name: "organization", Type: "ORGANIZATION", Status: "ACTIVE"}
	unused := accessanalyzer.Analyzer{Name: "unused", Type: "ACCOUNT_UNUSED_ACCESS", Status: "ACTIVE"}
	disabled := accessanalyzer.Analyzer{Name: "old", Type: "ORGANIZATION", Status: "DISABLED"}

	checktest.Run(t, accessanalyzer.Service(), checktest.Table{
		"accessanalyzer-external-access-analyzer": {
			{Name: "of the account", Resource: region(account), Want: check.Pass},
			{Name: "of the organization, beside a disabled one", Resource: region(disabled, organization), Want: check.Pass},
			{Name: "none", Resource: region(), Want: check.Fail},
			{Name: "for unused access only", Resource: region(unused), Want: check.Fail},
			{Name: "disabled", Resource: region(disabled), Want: check.Fail},
			{Name: "denied", Resource: accessanalyzer.RegionSettings{
				Resource:  checktest.Ref("access-analyzer", "region-settings"),
				Analyzers: fact.Missing[[]accessanalyzer.Analyzer](fact.Denied, "access-analyzer:ListAnalyzers"),
			}, Want: check.NotAssessed},
		},
	})
}
