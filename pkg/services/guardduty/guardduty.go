// Package guardduty knows Amazon GuardDuty: what it watches in a region, and
// what is right of that.
package guardduty

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of GuardDuty.
func Service() check.Service {
	return check.Service{
		Name:  "guardduty",
		Title: "Amazon GuardDuty",
		Kinds: []check.Kind{check.KindOf[RegionSettings]().Stateless("a setting of the region; the detector's state is read by the rules")},
		Rules: rules(),
		Texts: texts,
	}
}

// RegionSettings is GuardDuty in one region, which has one detector or none.
type RegionSettings struct {
	model.Resource
	// Detector is empty if there is none.
	Detector fact.Of[Detector] `json:"detector"`
	// Administrator is the account that manages this one's detector; empty if
	// there is none. It is asked only of a detector, as are the members.
	Administrator fact.Of[string] `json:"administrator"`
	// Members is whether this account manages the detectors of others.
	Members fact.Of[bool] `json:"members"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::GuardDuty::RegionSettings" }

// Detector is what GetDetector tells.
type Detector struct {
	ID       string    `json:"id,omitempty"`
	Status   string    `json:"status,omitempty"` // ENABLED or DISABLED
	Features []Feature `json:"features,omitempty"`
}

// Enabled reports whether the detector detects.
func (d Detector) Enabled() bool { return d.Status == "ENABLED" }

// Feature is a protection plan of a detector.
type Feature struct {
	Name   string  `json:"name"`   // S3_DATA_EVENTS, EKS_AUDIT_LOGS…
	Status string  `json:"status"` // ENABLED or DISABLED
	Agents []Agent `json:"agents,omitempty"`
}

// Agent is whether GuardDuty installs and updates the agent of runtime monitoring by
// itself, for one sort of workload.
type Agent struct {
	Name   string `json:"name"`   // EKS_ADDON_MANAGEMENT, EC2_AGENT_MANAGEMENT…
	Status string `json:"status"` // ENABLED or DISABLED
}
