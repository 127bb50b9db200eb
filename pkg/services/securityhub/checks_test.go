package securityhub_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
)

const (
	hub  = "arn:aws:securityhub:eu-west-1:111122223333:hub/default"
	fsbp = "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0"
)

func region(standards ...securityhub.Standard) securityhub.RegionSettings {
	return securityhub.RegionSettings{
		Resource: checktest.Ref("securityhub", "region-settings"), Hub: fact.Known(hub), Standards: fact.Known(standards),
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	off := securityhub.RegionSettings{Resource: checktest.Ref("securityhub", "region-settings"), Hub: fact.Known("")}
	checktest.Run(t, securityhub.Service(), checktest.Table{
		"securityhub-enabled": {
			{Name: "enabled", Resource: region(), Want: check.Pass},
			{Name: "not subscribed", Resource: off, Want: check.Fail},
			{Name: "denied", Resource: securityhub.RegionSettings{
				Resource: checktest.Ref("securityhub", "region-settings"), Hub: fact.Missing[string](fact.Denied, "securityhub:DescribeHub"),
			}, Want: check.NotAssessed},
		},
		"securityhub-standard-enabled": {
			{Name: "ready", Resource: region(securityhub.Standard{ARN: fsbp, Status: "READY"}), Want: check.Pass},
			{Name: "ready beside one that goes", Resource: region(
				securityhub.Standard{ARN: "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0", Status: "DELETING"},
				securityhub.Standard{ARN: fsbp, Status: "INCOMPLETE"}), Want: check.Pass},
			{Name: "failed", Resource: region(securityhub.Standard{ARN: fsbp, Status: "FAILED"}), Want: check.Fail},
			{Name: "none", Resource: region(), Want: check.Fail},
			{Name: "no hub", Resource: off, Want: check.Fail},
		},
	})
}
