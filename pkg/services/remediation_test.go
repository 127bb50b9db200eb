package services_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// property is what the schema of a resource type says of one of its properties.
type property struct {
	types    []string
	replaces bool
	values   []string // the only ones allowed, if there are any
}

// schemas are the properties of resource types by their paths, as internal/schemas
// writes them.
type schemas map[string]map[string]property

func readSchemas(t *testing.T, file string) schemas {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := schemas{}
	var of map[string]property
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		cells := strings.Split(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case cells[0] != "":
			of = map[string]property{}
			all[line] = of
		default:
			p := property{types: strings.Split(cells[2], ","), replaces: cells[3] == "replaces"}
			if len(cells) > 4 {
				p.values = strings.Split(cells[4], "|")
			}
			of[cells[1]] = p
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRemediation holds what people are told to declare to what CloudFormation and
// Terraform have: the types, their properties, the values that those take, and whether
// the change makes the resource anew. What fails because the type is new here wants the
// schemas read again; internal/schemas says how.
func TestRemediation(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := catalog.Texts()
	if err != nil {
		t.Fatal(err)
	}
	cloudFormation, terraform := readSchemas(t, "testdata/cloudformation.tsv.gz"), readSchemas(t, "testdata/terraform.tsv.gz")
	for _, c := range catalog.Checks() {
		r := texts[c.ID].Remediation
		for _, fault := range slices.Concat(
			cloudFormation.faults(r.CloudFormation, c.Kind),
			terraform.faults(r.Terraform, ""),
		) {
			t.Errorf("%s: %s", c.ID, fault)
		}
	}
}

// TestFaultsOfRemediation has TestRemediation find each kind of fault.
func TestFaultsOfRemediation(t *testing.T) {
	t.Parallel()
	doors := schemas{
		"AWS::House::Door": {
			"Colour":      {types: []string{"string"}, values: []string{"red", "blue"}},
			"Height":      {types: []string{"integer"}, replaces: true},
			"Locks":       {types: []string{"array", "object"}},
			"Locks.Bolts": {types: []string{"integer"}},
			"Open":        {types: []string{"boolean"}},
			"Keys":        {types: []string{"array", "string"}, values: []string{"brass", "steel"}},
		},
		"aws_door": {"open": {types: []string{"string"}}},
	}
	door := func(property string, value any) check.Declaration {
		return check.Declaration{Settings: []check.Setting{{Type: "AWS::House::Door", Property: property, Value: value}}}
	}
	says := func(sentence string) check.Declaration { return check.Declaration{Sentence: sentence} }
	for name, c := range map[string]struct {
		of   check.Declaration
		want string // the fault, or empty
	}{
		"a value of those allowed":     {door("Colour", "red"), ""},
		"any value":                    {door("Locks.Bolts", nil), ""},
		"a list of those allowed":      {door("Keys", []any{"brass"}), ""},
		"no such property":             {door("Color", "red"), "no property Color"},
		"a part in the wrong place":    {door("Bolts", 2), "no property Bolts"},
		"a value that is not allowed":  {door("Colour", "green"), "never green"},
		"one of a list is not allowed": {door("Keys", []any{"brass", "gold"}), "never gold"},
		"a text for a truth":           {door("Open", "true"), "is boolean"},
		"a truth for a number":         {door("Locks.Bolts", true), "is integer"},
		"a list for one":               {door("Open", []any{true}), "is no list"},
		"a replacement unsaid":         {door("Height", 2), "replaces"},
		"a truth for Terraform's text": {check.Declaration{Settings: []check.Setting{{Type: "aws_door", Property: "open", Value: false}}}, ""},

		"a sentence":                        {says("Remove `Bolts` from `Locks` of the `AWS::House::Door`."), ""},
		"a sentence of no such type":        {says("Remove the `AWS::House::Dor`."), "no resource type"},
		"a sentence of no such property":    {says("Remove `Bolt` from the `AWS::House::Door`."), "property Bolt"},
		"a sentence of the check's type":    {says("Remove `Bolt`."), "property Bolt"},
		"a sentence with a value":           {says("Add a door of `Colour` Green."), "never \"Green\""},
		"a sentence without a replacement":  {says("Set `Height` of the `AWS::House::Door` to 2 or more."), "replaces the resource"},
		"a sentence that a setting says":    {says("Set `Open` to false on the `AWS::House::Door`."), "by type, property and value"},
		"a sentence of no such argument":    {says("Set `opened = true` on every `aws_door`."), "property opened"},
		"a sentence of JSON within a value": {says("Set `\"Effect\": \"Deny\"` on every `aws_door`."), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := strings.Join(doors.faults(c.of, "AWS::House::Door"), "; "); c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("%q, want %q", found, c.want)
			}
		})
	}
}

// faults are what is wrong with a declaration. A sentence that names no type speaks of
// kind.
func (s schemas) faults(d check.Declaration, kind string) []string {
	if len(d.Settings) == 0 {
		return s.faultsOfSentence(d.Sentence, kind)
	}
	var all []string
	for _, set := range d.Settings {
		all = append(all, s.faultsOfSetting(set)...)
	}
	return all
}

func (s schemas) faultsOfSetting(set check.Setting) []string {
	p, ok := s[set.Type][set.Property]
	cloudFormation := strings.Contains(set.Type, "::")
	switch {
	case !ok:
		return []string{fmt.Sprintf("%s has no property %s that can be set", set.Type, set.Property)}
	case cloudFormation && p.replaces != set.Replaces: // Terraform's schemas do not tell
		return []string{fmt.Sprintf("another %s replaces %s: %t, and the text says %t", set.Property, set.Type, p.replaces, set.Replaces)}
	case !cloudFormation && slices.Contains(p.types, "string"):
		p.types = append(slices.Clone(p.types), "boolean", "number") // which Terraform makes a text of
	}
	return p.refuses(set.Property, set.Value)
}

// faultsOfSentence looks at all names in ticks, and at the words after those.
func (s schemas) faultsOfSentence(sentence, kind string) []string {
	var all, types []string
	if setting.MatchString(sentence) {
		all = append(all, "the sentence can be said by type, property and value")
	}
	for _, m := range typeName.FindAllStringSubmatch(sentence, -1) {
		if _, ok := s[m[1]]; !ok {
			all = append(all, m[1]+" is no resource type")
		}
		types = append(types, m[1])
	}
	if len(types) == 0 {
		types = []string{kind}
	}
	for _, m := range propertyName.FindAllStringSubmatch(typeName.ReplaceAllString(sentence, ""), -1) {
		name, value := m[1], strings.Trim(m[2]+m[3], `"`)
		known, replaces := false, true
		var values []string
		for _, t := range types {
			for at, p := range s[t] {
				if at == name || strings.HasSuffix(at, "."+name) {
					known, replaces = true, replaces && p.replaces
					values = append(values, p.values...)
				}
			}
		}
		switch {
		case !known:
			all = append(all, fmt.Sprintf("no %s has a property %s that can be set", check.List(types), name))
		case replaces && strings.HasPrefix(sentence, "Set `"+name+"`") && !strings.Contains(sentence, "which replaces"):
			all = append(all, "another "+name+" replaces the resource, and the text does not say so")
		case len(values) > 0 && isValue.MatchString(value) && !slices.Contains(values, value):
			all = append(all, fmt.Sprintf("%s is never %q, it is %s", name, value, check.List(values)))
		}
	}
	return all
}

var (
	typeName = regexp.MustCompile("`(AWS::\\w+::\\w+|aws_\\w+)`")
	// A name in ticks that begins in upper case, or in lower case and has an underscore or
	// a value; and the word that follows, which may be its value.
	propertyName = regexp.MustCompile("`((?:[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(?:\\.[A-Z]\\w*)*)|(?:[a-z][a-z0-9_]*))(?: = ([^`]+))?`(?: (?:to )?([\\w:.-]*\\w))?")
	// What a setting comes to.
	setting = regexp.MustCompile("^Set `[^`]+`(?: to [\\w:.-]+)?(?: in `[^`]+`)? (?:on|of) the `[^`]+`(?:, which replaces it)?\\.$")
	isValue = regexp.MustCompile(`[^a-z]`)
)

// refuses says why a property does not take a value.
func (p property) refuses(name string, value any) []string {
	if value == nil {
		return nil
	}
	values, isList := value.([]any)
	switch {
	case isList && !slices.Contains(p.types, "array"):
		return []string{name + " is no list"}
	case !isList:
		values = []any{value}
	}
	var all []string
	for _, v := range values {
		types := []string{"string"}
		switch v.(type) {
		case bool:
			types = []string{"boolean"}
		case int:
			types = []string{"integer", "number"}
		}
		switch {
		case !isList && !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(p.types, t) }):
			all = append(all, fmt.Sprintf("%s is %s, not %v", name, strings.Join(p.types, " or "), v))
		case len(p.values) > 0 && !slices.Contains(p.values, fmt.Sprint(v)):
			all = append(all, fmt.Sprintf("%s is never %v, it is %s", name, v, check.List(p.values)))
		}
	}
	return all
}
