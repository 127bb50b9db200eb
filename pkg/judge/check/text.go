package check

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Text is what people read of a check; it comes from the service's
// checks.yaml, where the check's id is the key.
type Text struct {
	Title       string              `yaml:"title" json:"title"` // states what is right: "KMS keys rotate"
	Pillar      model.Pillar        `yaml:"pillar" json:"pillar"`
	Risk        string              `yaml:"risk" json:"risk"` // why a failure matters
	Remediation Remediation         `yaml:"remediation" json:"remediation"`
	References  []string            `yaml:"references" json:"references"`
	Controls    map[string][]string `yaml:"controls" json:"controls"` // framework -> requirement ids
	Aliases     map[string][]string `yaml:"aliases" json:"aliases"`   // other tool -> its ids of what says the same
	// Partly are other tools' ids of what is weaker or stricter than this check:
	// tool -> id -> what differs.
	Partly map[string]map[string]string `yaml:"partly" json:"partly,omitempty"`
}

// Tools are the ids that other tools know the check by, whether they say the same or
// only partly so.
func (t Text) Tools() map[string][]string {
	all := map[string][]string{}
	for tool, ids := range t.Aliases {
		all[tool] = slices.Clone(ids)
	}
	for tool, ids := range t.Partly {
		all[tool] = append(all[tool], slices.Sorted(maps.Keys(ids))...)
	}
	return all
}

// Remediation says how to mend a failure. Console is never empty; the others
// are where they help.
type Remediation struct {
	Console        string      `yaml:"console" json:"console"`
	CLI            string      `yaml:"cli" json:"cli,omitempty"`
	Terraform      Declaration `yaml:"terraform" json:"terraform,omitzero"`
	CloudFormation Declaration `yaml:"cloudformation" json:"cloudformation,omitzero"`
}

// ParseTexts reads a checks.yaml. Unknown keys, unknown pillars and missing
// texts are errors.
func ParseTexts(document []byte) (map[model.CheckID]Text, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	var texts map[model.CheckID]Text
	if err := decoder.Decode(&texts); err != nil {
		return nil, fmt.Errorf("parse check texts: %w", err)
	}
	for id, text := range texts {
		if err := text.validate(); err != nil {
			return nil, fmt.Errorf("texts of %s: %w", id, err)
		}
	}
	return texts, nil
}

func (t Text) validate() error {
	for name, value := range map[string]string{"title": t.Title, "risk": t.Risk, "remediation.console": t.Remediation.Console} {
		if strings.TrimSpace(value) == "" {
			return fmt.Errorf("%s is empty", name)
		}
	}
	for language, d := range map[string]Declaration{"terraform": t.Remediation.Terraform, "cloudformation": t.Remediation.CloudFormation} {
		for _, s := range d.Settings {
			if s.Type == "" || s.Property == "" {
				return fmt.Errorf("remediation.%s: a setting has no type or no property", language)
			}
		}
	}
	if !slices.Contains(model.Pillars(), t.Pillar) {
		return fmt.Errorf("unknown pillar %q", t.Pillar)
	}
	for tool, ids := range t.Partly {
		for id, differs := range ids {
			if strings.TrimSpace(differs) == "" {
				return fmt.Errorf("partly %s:%s does not say what differs", tool, id)
			}
			if slices.Contains(t.Aliases[tool], id) {
				return fmt.Errorf("%s:%s says both the same and partly the same", tool, id)
			}
		}
	}
	if len(t.References) == 0 {
		return fmt.Errorf("no references")
	}
	for _, ref := range t.References {
		if u, err := url.Parse(ref); err != nil || u.Scheme != "https" {
			return fmt.Errorf("reference %q is not an https URL", ref)
		}
	}
	return nil
}
