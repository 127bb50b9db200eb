// Package cloudtrail knows AWS CloudTrail: the trails that record an account,
// and what is right of them.
package cloudtrail

import (
	_ "embed"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of CloudTrail.
func Service() check.Service {
	return check.Service{
		Name:  "cloudtrail",
		Title: "AWS CloudTrail",
		Kinds: []check.Kind{
			check.KindOf[Trail]().Stateless("trails are there or are not; whether one logs is a fact of its own"),
			check.KindOf[RegionTrails]().Stateless("a setting of the region"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Trail is a trail at home in the region: of the account, or of the organization
// that the account belongs to, in which case its ARN is of another account.
type Trail struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	Status fact.Of[Status] `json:"status"`
	// Selectors say which events are recorded.
	Selectors fact.Of[Selectors] `json:"selectors"`
}

// Kind implements check.Resource.
func (Trail) Kind() string { return "AWS::CloudTrail::Trail" }

// Owner is the account that the trail belongs to and is configured in.
func (t Trail) Owner() string {
	if parts := strings.Split(t.ARN, ":"); len(parts) > 4 {
		return parts[4]
	}
	return t.Account
}

// Detail is what DescribeTrails tells.
type Detail struct {
	Validation bool   `json:"validation"` // of log files
	Insights   bool   `json:"insights"`
	Bucket     string `json:"bucket"`              // its name
	Key        string `json:"key,omitempty"`       // of KMS; empty for a trail without
	LogGroup   string `json:"log_group,omitempty"` // ARN; empty for a trail without
	Topic      string `json:"topic,omitempty"`     // ARN; empty for a trail without
}

// Status is what GetTrailStatus tells.
type Status struct {
	Logging       bool   `json:"logging"`
	DeliveryError string `json:"delivery_error,omitempty"` // of S3, from the last delivery to the bucket
	// LogsDelivered is when events last reached the log group.
	LogsDelivered *time.Time `json:"logs_delivered,omitempty"`
	LogsError     string     `json:"logs_error,omitempty"`
}

// RegionTrails is all trails that record a region, wherever they are at home: a
// trail of all regions stands in each of them.
type RegionTrails struct {
	model.Resource
	Trails fact.Of[[]Sighting] `json:"trails"`
}

// Kind implements check.Resource.
func (RegionTrails) Kind() string { return "AWS::CloudTrail::RegionTrails" }

// Sighting is a trail as seen from a region that it records.
type Sighting struct {
	ARN         string `json:"arn"`
	Home        string `json:"home"` // region
	MultiRegion bool   `json:"multi_region"`
}
