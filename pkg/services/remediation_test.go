package services_test

import (
	"bufio"
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
	lines := bufio.NewScanner(f)
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
	cloudFormation, terraform := readSchemas(t, "testdata/cloudformation.tsv"), readSchemas(t, "testdata/terraform.tsv")
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

// faults are what is wrong with a declaration. A sentence that names no type speaks of
// kind.
func (s schemas) faults(d check.Declaration, kind string) []string {
	var all []string
	for _, set := range d.Settings {
		p, ok := s[set.Type][set.Property]
		switch {
		case !ok:
			all = append(all, fmt.Sprintf("%s has no property %s that can be set", set.Type, set.Property))
		case strings.Contains(set.Type, "::") && p.replaces != set.Replaces: // Terraform's schemas do not tell
			all = append(all, fmt.Sprintf("another %s replaces a %s: %t, and the text says %t", set.Property, set.Type, p.replaces, set.Replaces))
		default:
			if !strings.Contains(set.Type, "::") && !slices.Contains(p.types, "array") && slices.Contains(p.types, "string") {
				p.types = append(p.types, "boolean", "number") // which Terraform makes a text of
			}
			all = append(all, p.refuses(set.Property, set.Value)...)
		}
	}
	if len(d.Settings) > 0 {
		return all
	}
	var types []string
	for _, m := range typeName.FindAllStringSubmatch(d.Sentence, -1) {
		if _, ok := s[m[1]]; !ok {
			all = append(all, m[1]+" is no resource type")
		}
		types = append(types, m[1])
	}
	if len(types) == 0 {
		types = []string{kind}
	}
	for _, m := range propertyName.FindAllStringSubmatch(typeName.ReplaceAllString(d.Sentence, ""), -1) {
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
			all = append(all, fmt.Sprintf("no %s has a property %s that can be set", strings.Join(types, ", "), name))
		case replaces && strings.HasPrefix(d.Sentence, "Set `"+name+"`") && !strings.Contains(d.Sentence, "which replaces"):
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
	isValue      = regexp.MustCompile(`[^a-z]`)
)

// refuses says why a property does not take a value.
func (p property) refuses(name string, value any) []string {
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	if value == nil {
		return nil
	}
	if isList && !slices.Contains(p.types, "array") {
		return []string{name + " is no list"}
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
		if !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(p.types, t) }) && !isList {
			all = append(all, fmt.Sprintf("%s is %s, not %v", name, strings.Join(p.types, " or "), v))
		} else if len(p.values) > 0 && !slices.Contains(p.values, fmt.Sprint(v)) {
			all = append(all, fmt.Sprintf("%s is never %v, it is %s", name, v, check.List(p.values)))
		}
	}
	return all
}
