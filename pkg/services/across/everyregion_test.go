package across_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
)

// everyRegionCases are those of the rules that a setting is on in all regions: with it
// on in two, in one of two, and with one that cannot be read.
func everyRegionCases() checktest.Table {
	in := func(service, region string) model.Resource {
		r := checktest.Ref(service, "region-settings")
		r.ARN, r.Region = "arn:aws:"+service+":"+region+":111122223333:region-settings", region
		return r
	}
	denied := fact.Gap{Reason: fact.Denied, Operation: "test:Read", Action: "test:Read"}
	unsupported := fact.Gap{Reason: fact.Unsupported, Operation: "test:Read"}
	account := iam.Account{Resource: checktest.Ref("iam", "account")}
	table := checktest.Table{}
	for id, setting := range map[model.CheckID]func(region string, on bool, gap *fact.Gap) check.Resource{
		"accessanalyzer-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			var all []accessanalyzer.Analyzer
			if on {
				all = append(all, accessanalyzer.Analyzer{Name: "all", Type: "ACCOUNT", Status: "ACTIVE"})
			}
			return accessanalyzer.RegionSettings{Resource: in("access-analyzer", region), Analyzers: known(all, gap)}
		},
		"config-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return config.RegionSettings{
				Resource: in("config", region), Recorders: known([]config.Recorder{{Name: "default"}}, gap),
				Statuses: known([]config.Status{{Name: "default", Recording: on}}, gap),
			}
		},
		"ec2-ebs-default-encryption-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return ec2.RegionSettings{Resource: in("ec2", region), EBSEncryption: known(on, gap)}
		},
		"ec2-image-block-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return ec2.RegionSettings{Resource: in("ec2", region), ImageBlock: known(map[bool]string{true: "block-new-sharing", false: "unblocked"}[on], gap)}
		},
		"ec2-metadata-default-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return ec2.RegionSettings{Resource: in("ec2", region), Metadata: known(ec2.Metadata{Tokens: map[bool]string{true: "required", false: "optional"}[on]}, gap)}
		},
		"ec2-snapshot-block-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return ec2.RegionSettings{Resource: in("ec2", region), SnapshotBlock: known(map[bool]string{true: "block-all-sharing", false: "unblocked"}[on], gap)}
		},
		"guardduty-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return guardduty.RegionSettings{Resource: in("guardduty", region), Detector: known(guardduty.Detector{ID: "1", Status: map[bool]string{true: "ENABLED", false: "DISABLED"}[on]}, gap)}
		},
		"securityhub-in-every-region": func(region string, on bool, gap *fact.Gap) check.Resource {
			return securityhub.RegionSettings{Resource: in("securityhub", region), Hub: known(map[bool]string{true: "arn:aws:securityhub:eu-west-1:111122223333:hub/default"}[on], gap)}
		},
	} {
		on := setting("eu-west-1", true, nil)
		table[id] = []checktest.Case{
			{Name: "in both", Resource: account, Others: []check.Resource{on, setting("us-east-1", true, nil)}, Want: check.Pass},
			{Name: "in one of two", Resource: account, Others: []check.Resource{on, setting("us-east-1", false, nil)}, Want: check.Fail},
			{Name: "off in one, unread in another", Resource: account, Others: []check.Resource{setting("eu-west-1", false, nil), setting("us-east-1", true, &denied)}, Want: check.Fail},
			{Name: "unread in one", Resource: account, Others: []check.Resource{on, setting("us-east-1", true, &denied)}, Want: check.NotAssessed},
			{Name: "not offered in one", Resource: account, Others: []check.Resource{on, setting("us-east-1", true, &unsupported)}, Want: check.Pass},
			{Name: "offered nowhere", Resource: account, Others: []check.Resource{setting("us-east-1", true, &unsupported)}, Want: check.NotApplicable},
		}
	}
	return table
}

// known is a value, or the gap in its place.
func known[T any](value T, gap *fact.Gap) fact.Of[T] {
	if gap != nil {
		return fact.Unknown[T](*gap)
	}
	return fact.Known(value)
}
