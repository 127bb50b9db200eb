package across

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
)

// regionRules are on services that are switched on region by region.
func regionRules() []check.Rule {
	return []check.Rule{
		check.Across("guardduty-centrally-managed", model.Low, centrallyManaged, check.Using[organizations.Membership]()).CausedBy("guardduty-enabled"),
		check.Across("macie-enabled", model.Low, macieEnabled, check.Using[s3.Bucket]()),
		check.Across("config-global-types-recorded", model.Medium, globalTypes, check.Using[config.RegionSettings]()).CausedBy("config-in-every-region"),
	}
}

// everyRegion are settings of regions that one decision is about, by the check of one
// region. Most people find out that a region lacks it when it is used against them.
var everyRegion = []struct {
	id       model.CheckID
	service  func() check.Service
	regional model.CheckID
}{
	{"accessanalyzer-in-every-region", accessanalyzer.Service, "accessanalyzer-external-access-analyzer"},
	{"config-in-every-region", config.Service, "config-recorder-enabled"},
	{"ec2-ebs-default-encryption-in-every-region", ec2.Service, "ec2-ebs-default-encryption"},
	{"ec2-image-block-in-every-region", ec2.Service, "ec2-image-block-public-access"},
	{"ec2-metadata-default-in-every-region", ec2.Service, "ec2-metadata-default-imdsv2"},
	{"ec2-snapshot-block-in-every-region", ec2.Service, "ec2-snapshot-block-public-access"},
	{"guardduty-in-every-region", guardduty.Service, "guardduty-enabled"},
	{"securityhub-in-every-region", securityhub.Service, "securityhub-enabled"},
}

func everyRegionRules() []check.Rule {
	var all []check.Rule
	for _, x := range everyRegion {
		for _, r := range x.service().Rules {
			if r.ID == x.regional {
				all = append(all, check.InEveryRegion[iam.Account](x.id, r))
			}
		}
	}
	return all
}

// centrallyManaged asks for a manager where there can be one: in an organization, or
// where the account manages others by invitation.
func centrallyManaged(e *check.Evidence, r guardduty.RegionSettings) check.Verdict {
	if !check.Read(e, r.Detector).Enabled() {
		return check.Failed("GuardDuty is not enabled in the region")
	}
	if administrator, ok := check.Try(e, r.Administrator); ok && administrator != "" {
		return check.Passed("account " + administrator + " manages the detector")
	}
	if members, ok := check.Try(e, r.Members); ok && members {
		return check.Passed("the account manages the detectors of others")
	}
	check.Read(e, r.Administrator)
	check.Read(e, r.Members)
	for _, m := range check.All[organizations.Membership](e) {
		if check.Read(e, m.Organization).ID == "" {
			return check.Inapplicable("the account is in no organization, so nobody is there to manage it")
		}
	}
	return check.Failed("no account manages the detector, nor does this one manage others")
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
