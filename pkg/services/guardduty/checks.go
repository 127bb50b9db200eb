package guardduty

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// protections are the plans that a detector has beside its foundation. Any one
// of the features is enough.
var protections = []struct {
	id       model.CheckID
	features []string
}{
	{"guardduty-s3-protection", []string{"S3_DATA_EVENTS"}},
	{"guardduty-eks-audit-logs", []string{"EKS_AUDIT_LOGS"}},
	{"guardduty-malware-protection", []string{"EBS_MALWARE_PROTECTION"}},
	{"guardduty-rds-protection", []string{"RDS_LOGIN_EVENTS"}},
	{"guardduty-lambda-protection", []string{"LAMBDA_NETWORK_LOGS"}},
	{"guardduty-runtime-monitoring", []string{"RUNTIME_MONITORING"}},
}

// workloads are what runtime monitoring watches, by an agent that somebody has to
// install and to update. The older feature, of EKS alone, does for EKS.
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DetectorAdditionalConfiguration.html (2026-11)
var workloads = []struct {
	id       model.CheckID
	features []string
	agent    string
}{
	{"guardduty-eks-runtime-monitoring", []string{"RUNTIME_MONITORING", "EKS_RUNTIME_MONITORING"}, "EKS_ADDON_MANAGEMENT"},
	{"guardduty-ecs-runtime-monitoring", []string{"RUNTIME_MONITORING"}, "ECS_FARGATE_AGENT_MANAGEMENT"},
	{"guardduty-ec2-runtime-monitoring", []string{"RUNTIME_MONITORING"}, "EC2_AGENT_MANAGEMENT"},
}

func rules() []check.Rule {
	all := []check.Rule{
		check.For("guardduty-enabled", model.High, enabled).WithAccount().CausedBy("guardduty-in-every-region"),
	}
	for _, p := range protections {
		all = append(all, check.For(p.id, model.Medium, protection(p.features)).WithAccount().CausedBy("guardduty-enabled"))
	}
	for _, w := range workloads {
		all = append(all, check.For(w.id, model.Medium, managedAgent(w.features, w.agent)).WithAccount().CausedBy("guardduty-enabled", "guardduty-runtime-monitoring"))
	}
	return all
}

func enabled(e *check.Evidence, r RegionSettings) check.Verdict {
	d := check.Read(e, r.Detector)
	switch {
	case d.ID == "":
		return check.Failed("there is no detector in the region")
	case !d.Enabled():
		return check.Failed("the detector is suspended")
	default:
		return check.Passed("the detector is enabled")
	}
}

func protection(features []string) func(*check.Evidence, RegionSettings) check.Verdict {
	return func(e *check.Evidence, r RegionSettings) check.Verdict {
		d := check.Read(e, r.Detector)
		if !d.Enabled() {
			return check.Failed("GuardDuty is not enabled in the region")
		}
		offered := false
		for _, f := range d.Features {
			if !slices.Contains(features, f.Name) {
				continue
			}
			if f.Status == "ENABLED" {
				return check.Passed(f.Name + " is on")
			}
			offered = true
		}
		if !offered {
			// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_regions.html
			return check.Inapplicable("GuardDuty does not offer " + features[0] + " in the region")
		}
		return check.Failed(strings.Join(features, " and ") + " off")
	}
}

// managedAgent is the rule that one of the features is on and GuardDuty manages its agent.
func managedAgent(features []string, agent string) func(*check.Evidence, RegionSettings) check.Verdict {
	monitored := protection(features)
	return func(e *check.Evidence, r RegionSettings) check.Verdict {
		if v := monitored(e, r); v.Status != check.Pass {
			return v
		}
		told := ""
		for _, f := range check.Read(e, r.Detector).Features {
			if !slices.Contains(features, f.Name) || f.Status != "ENABLED" {
				continue
			}
			for _, a := range f.Agents {
				if a.Name != agent {
					continue
				}
				if a.Status == "ENABLED" {
					return check.Passed(f.Name + " is on, and so is " + agent)
				}
				told = a.Status
			}
		}
		switch told {
		case "DISABLED":
			return check.Failed(agent + " is off, so somebody has to install each agent")
		case "":
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "guardduty:GetDetector", Region: r.Region, Detail: "AWS does not tell whether " + agent + " is on"})
		default:
			return check.Unfamiliar("status of "+agent, told)
		}
	}
}
