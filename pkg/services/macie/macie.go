// Package macie knows Amazon Macie: whether it looks for sensitive data in a
// region's buckets, and what is right of that.
package macie

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Macie.
func Service() check.Service {
	return check.Service{
		Name:  "macie",
		Title: "Amazon Macie",
		Kinds: []check.Kind{check.KindOf[RegionSettings]().Stateless("a setting of the region")},
		Rules: rules(),
		Texts: texts,
	}
}

// Enabled is the status of what is switched on.
const Enabled = "ENABLED"

// RegionSettings is Macie in one region.
type RegionSettings struct {
	model.Resource
	// Status is ENABLED or PAUSED; empty if Macie is not enabled.
	Status fact.Of[string] `json:"status"`
	// Discovery is whether automated discovery is on: ENABLED or DISABLED. It
	// is asked only where Macie is enabled.
	Discovery fact.Of[string] `json:"discovery"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::Macie::RegionSettings" }
