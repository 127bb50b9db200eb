package guardduty_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
)

// region has an enabled detector on its own, with the features given.
func region(features ...guardduty.Feature) guardduty.RegionSettings {
	return guardduty.RegionSettings{
		Resource:      checktest.Ref("guardduty", "region-settings"),
		Detector:      fact.Known(guardduty.Detector{ID: "12abc34d567e8fa901bc2d34e56789f0", Status: "ENABLED", Features: features}),
		Administrator: fact.Known(""),
		Members:       fact.Known(false),
	}
}

func changed(change func(*guardduty.RegionSettings)) guardduty.RegionSettings {
	r := region()
	change(&r)
	return r
}

func TestChecks(t *testing.T) {
	t.Parallel()
	off := guardduty.RegionSettings{Resource: checktest.Ref("guardduty", "region-settings"), Detector: fact.Known(guardduty.Detector{})}
	suspended := changed(func(r *guardduty.RegionSettings) {
		r.Detector = fact.Known(guardduty.Detector{ID: "12abc34d567e8fa901bc2d34e56789f0", Status: "DISABLED"})
	})
	table := checktest.Table{
		"guardduty-enabled": {
			{Name: "enabled", Resource: region(), Want: check.Pass},
			{Name: "no detector", Resource: off, Want: check.Fail},
			{Name: "suspended", Resource: suspended, Want: check.Fail},
		},
	}
	agents := func(all ...guardduty.Agent) []guardduty.Agent {
		return append([]guardduty.Agent{{Name: "SOME_OTHER_MANAGEMENT", Status: "ENABLED"}}, all...)
	}
	for id, feature := range map[model.CheckID]string{
		"guardduty-s3-protection":      "S3_DATA_EVENTS",
		"guardduty-eks-audit-logs":     "EKS_AUDIT_LOGS",
		"guardduty-malware-protection": "EBS_MALWARE_PROTECTION",
		"guardduty-rds-protection":     "RDS_LOGIN_EVENTS",
		"guardduty-lambda-protection":  "LAMBDA_NETWORK_LOGS",
		"guardduty-runtime-monitoring": "RUNTIME_MONITORING",
	} {
		foundation := guardduty.Feature{Name: "CLOUD_TRAIL", Status: "ENABLED"}
		table[id] = []checktest.Case{
			{Name: "on", Resource: region(foundation, guardduty.Feature{Name: feature, Status: "ENABLED"}), Want: check.Pass},
			{Name: "off", Resource: region(foundation, guardduty.Feature{Name: feature, Status: "DISABLED"}), Want: check.Fail},
			{Name: "not offered", Resource: region(foundation), Want: check.NotApplicable},
			{Name: "no detector", Resource: off, Want: check.Fail},
			{Name: "suspended", Resource: suspended, Want: check.Fail},
		}
	}
	for id, agent := range map[model.CheckID]string{
		"guardduty-eks-runtime-monitoring": "EKS_ADDON_MANAGEMENT",
		"guardduty-ecs-runtime-monitoring": "ECS_FARGATE_AGENT_MANAGEMENT",
		"guardduty-ec2-runtime-monitoring": "EC2_AGENT_MANAGEMENT",
	} {
		monitored := func(status string, agents ...guardduty.Agent) guardduty.RegionSettings {
			return region(guardduty.Feature{Name: "RUNTIME_MONITORING", Status: status, Agents: agents})
		}
		table[id] = []checktest.Case{
			{Name: "agents managed", Resource: monitored("ENABLED", agents(guardduty.Agent{Name: agent, Status: "ENABLED"})...), Want: check.Pass},
			{Name: "agents left to somebody", Resource: monitored("ENABLED", agents(guardduty.Agent{Name: agent, Status: "DISABLED"})...), Want: check.Fail},
			{Name: "nothing said of agents", Resource: monitored("ENABLED", agents()...), Want: check.NotAssessed},
			{Name: "a status that nobody knows", Resource: monitored("ENABLED", guardduty.Agent{Name: agent, Status: "PAUSED"}), Want: check.NotAssessed},
			{Name: "off", Resource: monitored("DISABLED", guardduty.Agent{Name: agent, Status: "ENABLED"}), Want: check.Fail},
			{Name: "not offered", Resource: region(), Want: check.NotApplicable},
			{Name: "no detector", Resource: off, Want: check.Fail},
			{Name: "suspended", Resource: suspended, Want: check.Fail},
		}
	}
	// The older feature is of EKS alone.
	eksOnly := region(
		guardduty.Feature{Name: "EKS_RUNTIME_MONITORING", Status: "ENABLED", Agents: []guardduty.Agent{{Name: "EKS_ADDON_MANAGEMENT", Status: "ENABLED"}}},
		guardduty.Feature{Name: "RUNTIME_MONITORING", Status: "DISABLED"},
	)
	for id, want := range map[model.CheckID]check.Status{
		"guardduty-runtime-monitoring":     check.Fail,
		"guardduty-eks-runtime-monitoring": check.Pass,
		"guardduty-ec2-runtime-monitoring": check.Fail,
	} {
		table[id] = append(table[id], checktest.Case{Name: "of EKS only", Resource: eksOnly, Want: want})
	}
	checktest.Run(t, guardduty.Service(), table)
}
