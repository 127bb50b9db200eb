// Package accessanalyzer knows IAM Access Analyzer: which analyzers watch a
// region, and what is right of that.
package accessanalyzer

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Access Analyzer.
func Service() check.Service {
	return check.Service{
		Name:  "accessanalyzer",
		Title: "IAM Access Analyzer",
		Kinds: []check.Kind{check.KindOf[RegionSettings]().Stateless("a setting of the region; analyzers' states are read by the rule")},
		Rules: rules(),
		Texts: texts,
	}
}

// RegionSettings is Access Analyzer in one region.
type RegionSettings struct {
	model.Resource
	Analyzers fact.Of[[]Analyzer] `json:"analyzers"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::AccessAnalyzer::RegionSettings" }

// Analyzer is an analyzer in AWS's words.
type Analyzer struct {
	Name   string `json:"name"`
	Type   string `json:"type"`   // ACCOUNT, ORGANIZATION, ACCOUNT_UNUSED_ACCESS…
	Status string `json:"status"` // ACTIVE, CREATING, DISABLED, FAILED
}

// External reports whether the analyzer looks for access from outside, of the
// account or of its organization.
func (a Analyzer) External() bool { return a.Type == "ACCOUNT" || a.Type == "ORGANIZATION" }
