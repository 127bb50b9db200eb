package check

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Declaration is what to change in a template of CloudFormation or a configuration of
// Terraform. In checks.yaml it is a setting, a list of settings, or, where those do not
// say it, a sentence. People read all three as a sentence.
type Declaration struct {
	Settings []Setting
	Sentence string
}

// Setting is a property of a declared resource, and what it should be.
type Setting struct {
	Type string `yaml:"type"` // "AWS::KMS::Key", "aws_kms_key"
	// Property is a path; lists on the way are passed through: what is said of
	// NetworkInterfaces.AssociatePublicIpAddress is said of every interface.
	Property string `yaml:"property"`
	// Value is a bool, a number, a string or a list of those; nil where any value will
	// do, or a good one depends on the account.
	Value any `yaml:"value"`
	// Replaces says that the resource is deleted and made anew by the change.
	Replaces bool `yaml:"replaces"`
}

// UnmarshalYAML reads any of the three forms. It is handed the document's own decoder,
// as an unmarshaler that takes a yaml.Node is not, so that unknown keys are refused here,
// too.
func (d *Declaration) UnmarshalYAML(unmarshal func(any) error) error {
	var form any
	if err := unmarshal(&form); err != nil {
		return err
	}
	switch form.(type) {
	case map[string]any:
		d.Settings = make([]Setting, 1)
		if err := unmarshal(&d.Settings[0]); err != nil {
			return err
		}
	case []any:
		if err := unmarshal(&d.Settings); err != nil {
			return err
		}
	default:
		return unmarshal(&d.Sentence)
	}
	if len(d.Settings) == 0 {
		return errors.New("a list of no settings")
	}
	d.Sentence = sentence(d.Settings)
	return nil
}

// IsZero reports whether there is nothing to declare.
func (d Declaration) IsZero() bool { return d.Sentence == "" }

// MarshalText is the sentence.
func (d Declaration) MarshalText() ([]byte, error) { return []byte(d.Sentence), nil }

// UnmarshalText takes a sentence back, without the settings that it was made of.
func (d *Declaration) UnmarshalText(sentence []byte) error {
	*d = Declaration{Sentence: string(sentence)}
	return nil
}

// sentence says what to set, what two settings share only once: "Set `SSEEnabled` to
// true and `KMSMasterKeyId` in `SSESpecification` of the `AWS::DynamoDB::Table`."
func sentence(settings []Setting) string {
	clauses := make([]string, len(settings))
	for i, s := range settings {
		object, name := s.split()
		clause := "`" + name + "`"
		switch terraform := !strings.Contains(s.Type, "::"); {
		case s.Value != nil && terraform:
			clause = fmt.Sprintf("`%s = %s`", name, hcl(s.Value))
		case s.Value != nil:
			clause += " to " + plain(s.Value)
		}
		var next Setting
		if i+1 < len(settings) {
			next = settings[i+1]
		}
		further, _ := next.split()
		if object != "" && (further != object || next.Type != s.Type) {
			clause += " in `" + object + "`"
		}
		if next.Type != s.Type {
			preposition := " on"
			if object != "" || s.Value == nil {
				preposition = " of"
			}
			clause += preposition + " the `" + s.Type + "`"
			if slices.ContainsFunc(settings, func(other Setting) bool { return other.Type == s.Type && other.Replaces }) {
				clause += ", which replaces it"
			}
		}
		clauses[i] = clause
	}
	return "Set " + strings.Join(clauses, " and ") + "."
}

// split parts a property into the object that has it and its name.
func (s Setting) split() (object, name string) {
	if i := strings.LastIndexByte(s.Property, '.'); i >= 0 {
		return s.Property[:i], s.Property[i+1:]
	}
	return "", s.Property
}

// hcl is a value in Terraform's language.
func hcl(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		return "[" + strings.Join(each(v, hcl), ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// plain is a value in a sentence.
func plain(value any) string {
	if list, ok := value.([]any); ok {
		return strings.Join(each(list, plain), " and ")
	}
	return fmt.Sprint(value)
}

func each(values []any, text func(any) string) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = text(v)
	}
	return texts
}
