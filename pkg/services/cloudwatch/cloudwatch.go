// Package cloudwatch knows the alarms of Amazon CloudWatch, and what is right of
// them.
package cloudwatch

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of CloudWatch.
func Service() check.Service {
	return check.Service{
		Name:  "cloudwatch",
		Title: "Amazon CloudWatch",
		Kinds: []check.Kind{check.KindOf[Alarm]().Stateless("its state tells of the metric")},
		Rules: rules(),
		Texts: texts,
	}
}

// Alarm is an alarm on a metric, or on other alarms.
type Alarm struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
}

// Kind implements check.Resource.
func (Alarm) Kind() string { return "AWS::CloudWatch::Alarm" }

// Detail is what the listing tells.
type Detail struct {
	Metrics []Metric `json:"metrics,omitempty"` // those that the alarm looks at
	Rule    string   `json:"rule,omitempty"`    // of a composite alarm: an expression over other alarms
	Enabled bool     `json:"enabled"`           // whether the actions are carried out
	Actions []string `json:"actions,omitempty"` // ARNs, for the state ALARM
	State   string   `json:"state"`             // OK, ALARM or INSUFFICIENT_DATA
	// Since is when the alarm took on its state.
	Since *time.Time `json:"since,omitempty"`
}

// Metric is the name of a metric.
type Metric struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}
