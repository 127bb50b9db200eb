package shape

import (
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Check is a check with its texts, as the catalogue lists it.
type Check struct {
	ID           model.CheckID  `json:"id"`
	Service      string         `json:"service"`
	Severity     model.Severity `json:"severity"`
	ResourceType string         `json:"resource_type"`
	LooksAt      []string       `json:"looks_at,omitempty"` // further resource types
	Optional     string         `json:"optional,omitempty"` // why it runs only if it is named
	// Causes are the checks under whose failure a failure is folded.
	Causes     []model.CheckID   `json:"causes,omitempty"`
	Impossible []check.Exclusion `json:"impossible,omitempty"` // where AWS makes it impossible to meet
	check.Text
}

// Frameworks are the compliance frameworks that the check belongs to.
func (c Check) Frameworks() []string { return slices.Sorted(maps.Keys(c.Controls)) }

// Describe joins checks with their texts.
func Describe(catalog *check.Catalog, checks []check.Check) ([]Check, error) {
	texts, err := catalog.Texts()
	if err != nil {
		return nil, err
	}
	all := make([]Check, 0, len(checks))
	for _, k := range checks {
		all = append(all, Check{k.ID, k.Service, k.Severity, k.Kind, k.Uses, k.Optional, k.Causes, impossible(k.Exclusions), texts[k.ID]})
	}
	return all, nil
}

// impossible lists where AWS makes a check impossible to meet, none as an empty list.
func impossible(all []check.Exclusion) []check.Exclusion { return append([]check.Exclusion{}, all...) }
