package check

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Option is a threshold or a list of a rule that whoever audits may set: for an organization,
// a project, a connection, or in the command's configuration.
type Option struct {
	Name string `json:"name" doc:"What it is set by"`
	Doc  string `json:"doc" doc:"What it decides"`
	Type string `json:"type" enum:"number,words" doc:"A whole number, or a list of words"`
	// Unit is of a number: "days"; of words what each of them is: "port", "tag".
	Unit    string            `json:"unit" doc:"Of a number, such as days; of words what each of them is"`
	Default model.OptionValue `json:"default"`
	// Min and Max are bounds of a number, Choices all words that there are; none are any that
	// have the form.
	Min     int      `json:"minimum,omitempty"`
	Max     int      `json:"maximum,omitempty"`
	Choices []string `json:"choices,omitempty"`

	form *regexp.Regexp
}

// Number is an option that is a number. It is a variable of a service's package, and read by
// the rules that declare it.
type Number struct{ *Option }

// NewNumber is an option with its default, and the least and the most that it may be.
func NewNumber(name, unit, doc string, byDefault, least, most int) Number {
	return Number{&Option{Name: name, Doc: doc, Type: "number", Unit: unit, Default: model.NumberOf(byDefault), Min: least, Max: most}}
}

// Of is what the option is set to for the rule that is run, noted as evidence.
func (n Number) Of(e *Evidence) int { return e.option(n.Option).Number }

// Words is an option that is a list of words; their order does not matter.
type Words struct{ *Option }

// NewWords is an option of any words that have a form, a regular expression of the whole word.
func NewWords(name, unit, doc, form string, byDefault ...string) Words {
	return Words{&Option{Name: name, Doc: doc, Type: "words", Unit: unit, Default: model.WordsOf(byDefault...), form: regexp.MustCompile("^(?:" + form + ")$")}}
}

// NewChoice is an option of words that are some of those given.
func NewChoice(name, unit, doc string, choices []string, byDefault ...string) Words {
	return Words{&Option{Name: name, Doc: doc, Type: "words", Unit: unit, Default: model.WordsOf(byDefault...), Choices: choices}}
}

// Of is what the option is set to for the rule that is run, noted as evidence.
func (w Words) Of(e *Evidence) []string { return e.option(w.Option).Words }

// An optional is an option of either type.
type optional interface{ itself() *Option }

func (n Number) itself() *Option { return n.Option }
func (w Words) itself() *Option  { return w.Option }

// With is the rule, which reads options.
func (r Rule) With(options ...optional) Rule {
	r.Options = slices.Clone(r.Options)
	for _, o := range options {
		r.Options = append(r.Options, o.itself())
	}
	return r
}

// Check refuses a value that the option cannot have.
func (o *Option) Check(v model.OptionValue) error {
	if (v.Words != nil) != (o.Type == "words") {
		return fmt.Errorf("%s is %s", o.Name, map[bool]string{true: "a list of words", false: "a whole number"}[o.Type == "words"])
	}
	if v.Words == nil {
		if v.Number < o.Min || v.Number > o.Max {
			return fmt.Errorf("%s is %d, and may be %d to %d %s", o.Name, v.Number, o.Min, o.Max, o.Unit)
		}
		return nil
	}
	for _, word := range v.Words {
		switch {
		case o.Choices != nil && !slices.Contains(o.Choices, word):
			return &UnknownError{What: o.Unit, Word: word, Nearest: Nearest(word, o.Choices), Among: o.Choices}
		case o.form != nil && !o.form.MatchString(word):
			return fmt.Errorf("%q is no %s", word, o.Unit)
		}
	}
	return nil
}

// Parse reads a value as it is written on a line: "45", "80,443"; an empty text is no words.
func (o *Option) Parse(text string) (v model.OptionValue, err error) {
	if o.Type == "words" {
		v = model.WordsOf()
		for _, word := range strings.Split(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				v.Words = append(v.Words, word)
			}
		}
	} else if v.Number, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
		return v, fmt.Errorf("%s is %q, and no whole number", o.Name, text)
	}
	return v, o.Check(v)
}

// Option finds an option of the rule, or is an *UnknownError.
func (r Rule) Option(name string) (*Option, error) {
	names := make([]string, len(r.Options))
	for i, o := range r.Options {
		if names[i] = o.Name; o.Name == name {
			return o, nil
		}
	}
	return nil, &UnknownError{What: "option of " + string(r.ID), Word: name, Nearest: Nearest(name, names), Among: names}
}

// OptionError says what is wrong with the value of an option.
type OptionError struct {
	Check  model.CheckID
	Option string
	Err    error
}

func (e *OptionError) Error() string { return fmt.Sprintf("options of %s: %v", e.Check, e.Err) }

// Unwrap is what is wrong.
func (e *OptionError) Unwrap() error { return e.Err }

// CheckOptions refuses options that no check has, and values that they cannot have, with an
// *OptionError.
func (c *Catalog) CheckOptions(options model.CheckOptions) error {
	for id, values := range options {
		k, known := c.Check(id)
		if !known {
			return &OptionError{id, "", &UnknownError{What: "check", Word: string(id), Nearest: Nearest(string(id), idTexts(c.checks))}}
		}
		for name, v := range values {
			o, err := k.Option(name)
			if err == nil {
				err = o.Check(v)
			}
			if err != nil {
				return &OptionError{id, name, err}
			}
		}
	}
	return nil
}

// Effective is what the options of checks are set to, those that nobody set with their
// defaults, and those that no check has left out.
func Effective(checks []Check, set model.CheckOptions) model.CheckOptions {
	all := model.CheckOptions{}
	for _, k := range checks {
		for _, o := range k.Options {
			v, ok := set[k.ID][o.Name]
			if !ok || o.Check(v) != nil {
				v = o.Default
			}
			if all[k.ID] == nil {
				all[k.ID] = map[string]model.OptionValue{}
			}
			all[k.ID][o.Name] = v
		}
	}
	return all
}

func idTexts(checks []Check) []string {
	all := make([]string, len(checks))
	for i, k := range checks {
		all[i] = string(k.ID)
	}
	return all
}

// used is an option that a rule read, and what it was set to.
type used struct {
	*Option
	value model.OptionValue
}

// option is what an option is set to for the rule that is run. That the rule did not declare
// it is its programmer's mistake.
func (e *Evidence) option(o *Option) model.OptionValue {
	if !slices.Contains(e.declared, o) {
		panic(fmt.Sprintf("the rule reads the option %s without declaring it", o.Name))
	}
	value, set := e.options[o.Name]
	if !set || o.Check(value) != nil { // of another version, which allowed more
		value = o.Default
	}
	if !slices.ContainsFunc(e.used, func(u used) bool { return u.Option == o }) {
		e.used = append(e.used, used{o, value})
	}
	return value
}

// OptionFact is the Resource of the exhibit of an option, of which Fact is the name.
const OptionFact = "option"

// MarshalJSON writes {"value": 45}.
func (u used) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]model.OptionValue{"value": u.value})
}

// optionExhibits are the options that were read.
func (e *Evidence) optionExhibits() []Exhibit {
	var all []Exhibit
	for _, u := range e.used {
		all = append(all, Exhibit{Resource: OptionFact, Kind: OptionFact, Fact: u.Name, Content: u})
	}
	return all
}

// naming is the verdict with the options that decided it: "… (days: 45)".
func (v Verdict) naming(options []used) Verdict {
	if !v.Status.Assessed() || len(options) == 0 {
		return v
	}
	words := make([]string, len(options))
	for i, u := range options {
		words[i] = u.Name + ": " + u.shown()
	}
	v.Reason = model.Cut(v.Reason, MaxReason-100) + " (" + model.Cut(strings.Join(words, "; "), 90) + ")"
	return v
}

func (u used) shown() string {
	if u.value.Words == nil {
		return strconv.Itoa(u.value.Number)
	}
	if len(u.value.Words) == 0 {
		return "none"
	}
	return List(u.value.Words)
}
