package check

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"regexp"
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
	Since       string              `yaml:"since" json:"since"`     // the version of CloudArq that it came with
	Aliases     map[string][]string `yaml:"aliases" json:"aliases"` // other tool -> its ids of what says the same
	// Partly are other tools' ids of what is not quite the same, tool -> id -> what differs:
	// what all checks that have an id here say together says at least what the other tool does.
	Partly map[string]map[string]string `yaml:"partly" json:"partly,omitempty"`
	// Weaker are those of what asks for more: a pass here is none there.
	Weaker map[string]map[string]string `yaml:"weaker" json:"weaker,omitempty"`
	// Controls are the requirements that the check belongs to, by framework, as the
	// frameworks of the catalogue say.
	Controls map[string][]string `yaml:"-" json:"controls"`
}

// Tools are the ids that other tools know the check by, whether they say the same or
// only partly so.
func (t Text) Tools() map[string][]string {
	all := map[string][]string{}
	for tool, ids := range t.Aliases {
		all[tool] = slices.Clone(ids)
	}
	for _, differing := range []map[string]map[string]string{t.Partly, t.Weaker} {
		for tool, ids := range differing {
			all[tool] = append(all[tool], slices.Sorted(maps.Keys(ids))...)
		}
	}
	return all
}

// versionForm is that of Text.Since.
var versionForm = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

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
	if !versionForm.MatchString(t.Since) {
		return fmt.Errorf("since %q is no version", t.Since)
	}
	for _, differing := range []map[string]map[string]string{t.Partly, t.Weaker} {
		for tool, ids := range differing {
			for id, differs := range ids {
				if strings.TrimSpace(differs) == "" {
					return fmt.Errorf("%s:%s does not say what differs", tool, id)
				}
			}
		}
	}
	for tool, ids := range t.Tools() {
		slices.Sort(ids)
		if once := slices.Compact(slices.Clone(ids)); len(once) < len(ids) {
			return fmt.Errorf("an id of %s says two of the same, partly the same and weaker", tool)
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
