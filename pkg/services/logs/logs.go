// Package logs knows Amazon CloudWatch Logs: log groups, the metric filters over
// them and the policies on them, and what is right of those.
package logs

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of CloudWatch Logs.
func Service() check.Service {
	return check.Service{
		Name:  "logs",
		Title: "Amazon CloudWatch Logs",
		Kinds: []check.Kind{
			check.KindOf[LogGroup]().Stateless("log groups are there or are not"),
			check.KindOf[MetricFilter]().Stateless("metric filters are there or are not"),
			check.KindOf[ResourcePolicy]().Stateless("policies are there or are not"),
			check.KindOf[Destination]().Stateless("destinations are there or are not"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// LogGroup is a log group. An account can have hundreds of thousands, so only
// what the listing tells is known of one.
type LogGroup struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
}

// Kind implements check.Resource.
func (LogGroup) Kind() string { return "AWS::Logs::LogGroup" }

// Detail is what the listing tells of a log group.
type Detail struct {
	Days  int    `json:"days,omitempty"` // of retention; 0 for ever
	Key   string `json:"key,omitempty"`  // of KMS; empty for the one of CloudWatch Logs
	Class string `json:"class"`          // STANDARD, INFREQUENT_ACCESS or DELIVERY
}

// MetricFilter counts the events of a log group that match a pattern.
type MetricFilter struct {
	model.Resource
	Detail fact.Of[FilterDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (MetricFilter) Kind() string { return "AWS::Logs::MetricFilter" }

// FilterDetail is what the listing tells of a metric filter.
type FilterDetail struct {
	LogGroup string   `json:"log_group"` // its name
	Pattern  string   `json:"pattern"`
	Metrics  []Metric `json:"metrics,omitempty"`
}

// Metric is the name of a metric.
type Metric struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// ResourcePolicy lets others write to the log groups of a region.
type ResourcePolicy struct {
	model.Resource
	// Document is the policy, a JSON document.
	Document fact.Of[string] `json:"document"`
}

// Kind implements check.Resource.
func (ResourcePolicy) Kind() string { return "AWS::Logs::ResourcePolicy" }

// Destination is where log groups of other accounts send their events.
type Destination struct {
	model.Resource
	// Policy says whose log groups may, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (Destination) Kind() string { return "AWS::Logs::Destination" }
