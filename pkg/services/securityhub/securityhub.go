// Package securityhub knows AWS Security Hub: whether it is on in a region, by
// which standards, and what is right of that.
package securityhub

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Security Hub.
func Service() check.Service {
	return check.Service{
		Name:  "securityhub",
		Title: "AWS Security Hub",
		Kinds: []check.Kind{check.KindOf[RegionSettings]().Stateless("a setting of the region; standards' states are read by the rule")},
		Rules: rules(),
		Texts: texts,
	}
}

// RegionSettings is Security Hub in one region.
type RegionSettings struct {
	model.Resource
	// Hub is the hub's ARN; empty if the account is not subscribed.
	Hub fact.Of[string] `json:"hub"`
	// Standards are asked only of a hub.
	Standards fact.Of[[]Standard] `json:"standards"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::SecurityHub::RegionSettings" }

// Standard is a standard that the hub checks.
type Standard struct {
	ARN    string `json:"arn"`
	Status string `json:"status"` // READY, PENDING, INCOMPLETE, DELETING, FAILED
}
