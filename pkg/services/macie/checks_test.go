package macie_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
)

func region(status, discovery fact.Of[string]) macie.RegionSettings {
	return macie.RegionSettings{Resource: checktest.Ref("macie2", "region-settings"), Status: status, Discovery: discovery}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	// Two facts, though equal: a rule's evidence tells them apart.
	enabled, on := fact.Known(macie.Enabled), fact.Known(macie.Enabled)
	checktest.Run(t, macie.Service(), checktest.Table{
		"macie-automated-discovery": {
			{Name: "on", Resource: region(enabled, on), Want: check.Pass},
			{Name: "off", Resource: region(enabled, fact.Known("DISABLED")), Want: check.Fail},
			{Name: "denied", Resource: region(enabled, fact.Missing[string](fact.Denied, "macie2:GetAutomatedDiscoveryConfiguration")), Want: check.NotAssessed},
			{Name: "Macie paused", Resource: region(fact.Known("PAUSED"), fact.Of[string]{}), Want: check.NotApplicable},
			{Name: "Macie not enabled", Resource: region(fact.Known(""), fact.Of[string]{}), Want: check.NotApplicable},
		},
	})
}
