package shape

import (
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Check is a check with its texts, as the catalogue lists it.
type Check struct {
	ID       model.CheckID  `json:"id"`
	Title    string         `json:"title" doc:"What is right, as the check states it"`
	Severity model.Severity `json:"severity" enum:"critical,high,medium,low" doc:"How grave a failure is"`
	Pillar   model.Pillar   `json:"pillar" doc:"Pillar of the AWS Well-Architected Framework"`
	Service  string         `json:"service"`
	Type     string         `json:"resource_type" doc:"Type of the resources that it judges"`
	LooksAt  []string       `json:"looks_at,omitempty" doc:"Further types that it looks at"`
	Optional string         `json:"optional,omitempty" doc:"Why it runs only if it is named"`
	// Causes are the checks under whose failure a failure is folded.
	Causes     []model.CheckID   `json:"causes,omitempty" doc:"Checks whose failure is why this one fails, where both do"`
	Impossible []check.Exclusion `json:"impossible,omitempty" doc:"Where AWS makes it impossible to meet"`
	Advice
	Aliases  map[string][]string          `json:"aliases" doc:"What other tools call what says the same, by tool"`
	Partly   map[string]map[string]string `json:"partly,omitempty" doc:"What other tools call what is not quite the same, and what differs: what passes all checks that have it here passes there"`
	Weaker   map[string]map[string]string `json:"weaker,omitempty" doc:"What other tools call what asks for more, and what differs: a pass here is none there"`
	Options  []check.Option               `json:"options" doc:"Thresholds and lists that can be set"`
	Examples check.Examples               `json:"examples" doc:"What fails and what passes, as collectors are tested by"`
	Since    string                       `json:"since" doc:"Version of CloudArq that it came with"`
}

// Frameworks are the compliance frameworks that the check belongs to.
func (c Check) Frameworks() []string { return slices.Sorted(maps.Keys(c.Controls)) }

// Describe joins checks with their texts.
func Describe(catalog *check.Catalog, checks []check.Check) ([]Check, error) {
	texts, err := catalog.Texts()
	if err != nil {
		return nil, err
	}
	examples, err := catalog.Examples()
	if err != nil {
		return nil, err
	}
	all := make([]Check, 0, len(checks))
	for _, k := range checks {
		t := texts[k.ID]
		one := Check{
			ID: k.ID, Title: t.Title, Severity: k.Severity, Pillar: t.Pillar, Service: k.Service, Type: k.Kind, LooksAt: k.Uses,
			Optional: k.Optional, Causes: k.Causes, Impossible: impossible(k.Exclusions), Advice: adviceOf(t), Aliases: t.Aliases, Partly: t.Partly, Weaker: t.Weaker, Examples: examples[k.ID], Since: t.Since,
		}
		one.Options = []check.Option{}
		for _, o := range k.Options {
			one.Options = append(one.Options, *o)
		}
		if one.Aliases == nil {
			one.Aliases = map[string][]string{}
		}
		all = append(all, one)
	}
	return all, nil
}

// impossible lists where AWS makes a check impossible to meet, none as an empty list.
func impossible(all []check.Exclusion) []check.Exclusion { return append([]check.Exclusion{}, all...) }
