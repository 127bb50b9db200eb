package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// CheckColumns are the columns of checks.
func CheckColumns() []Column[shape.Check] {
	return []Column[shape.Check]{
		{Name: "id", Value: func(k shape.Check) string { return string(k.ID) }},
		{Name: "severity", Value: func(k shape.Check) string { return string(k.Severity) }, Compare: BySeverity(func(k shape.Check) model.Severity { return k.Severity })},
		{Name: "service", Value: func(k shape.Check) string { return k.Service }, Wide: true},
		{Name: "pillar", Value: func(k shape.Check) string { return string(k.Pillar) }, Wide: true},
		{Name: "resource_type", Value: func(k shape.Check) string { return k.Type }, Wide: true},
		{Name: "title", Value: func(k shape.Check) string { return k.Title }, Fit: Prose},
		{Name: "optional", Value: func(k shape.Check) string { return k.Optional }, Fit: Prose, Wide: true},
		{Name: "cause", Value: func(k shape.Check) string { return strings.Join(words(k.Causes), " ") }, Wide: true},
		{Name: "controls", Value: func(k shape.Check) string { return pairs(k.Controls) }, Fit: Prose, Wide: true},
		{Name: "aliases", Value: func(k shape.Check) string { return pairs(k.Aliases) }, Fit: Prose, Wide: true},
		{Name: "partly", Value: func(k shape.Check) string { return strings.Join(Differences(k.Partly), "; ") }, Fit: Prose, Wide: true},
		{Name: "weaker", Value: func(k shape.Check) string { return strings.Join(Differences(k.Weaker), "; ") }, Fit: Prose, Wide: true},
		{Name: "since", Value: func(k shape.Check) string { return k.Since }, Wide: true},
	}
}

func words[T ~string](all []T) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return texts
}

func pairs(m map[string][]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, value := range m[name] {
			all = append(all, name+":"+value)
		}
	}
	return strings.Join(all, " ")
}

// shownExample is what a check says of a resource, and below it what it read.
func shownExample(e check.Example) string {
	text := indent(e.Says) + "\n"
	if e.Facts != "" {
		text += "    " + e.Facts + "\n"
	}
	return text
}

// askedBy lists requirements framework by framework.
func askedBy(controls map[string][]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(controls)) {
		all = append(all, name+": "+strings.Join(controls[name], ", "))
	}
	return strings.Join(all, "\n")
}

// requirements are those of the newest benchmark of CIS, and how many other frameworks have
// some: for who reads many checks in a row.
func requirements(controls map[string][]string) string {
	newest := ""
	for name := range controls {
		if strings.HasPrefix(name, "cis-aws-") && name > newest {
			newest = name
		}
	}
	others := len(controls)
	var all []string
	for _, id := range controls[newest] {
		all = append(all, newest+":"+id)
	}
	if newest != "" {
		others--
	}
	if others > 0 {
		all = append(all, Count(others, "framework"))
		if newest != "" {
			all[len(all)-1] = "and " + Count(others, "more framework")
		}
	}
	return strings.Join(all, " ")
}

// Differences are the ids of other tools that say partly the same, each with what
// differs.
func Differences(partly map[string]map[string]string) []string {
	var all []string
	for _, tool := range slices.Sorted(maps.Keys(partly)) {
		for _, id := range slices.Sorted(maps.Keys(partly[tool])) {
			all = append(all, fmt.Sprintf("%s:%s: %s", tool, id, partly[tool][id]))
		}
	}
	return all
}

// Explain writes all that is known of a check, for a person.
func Explain(w io.Writer, k shape.Check) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", k.ID, k.Title)
	fmt.Fprintf(&b, "Severity   %s\nPillar     %s\nService    %s\nResource   %s\n", k.Severity, k.Pillar, k.Service, k.Type)
	if len(k.LooksAt) > 0 {
		fmt.Fprintf(&b, "Looks at   %s\n", strings.Join(k.LooksAt, ", "))
	}
	if k.Optional != "" {
		fmt.Fprintf(&b, "Optional   runs only if it is named: %s\n", k.Optional)
	}
	if len(k.Causes) > 0 {
		fmt.Fprintf(&b, "Cause      a failure is folded under that of %s\n", check.List(words(k.Causes)))
	}
	for _, x := range k.Impossible {
		fmt.Fprintf(&b, "Not in     %s: %s (%s)\n", strings.Join(x.Partitions, ", "), x.Reason, x.Source)
	}
	for _, o := range k.Options {
		fmt.Fprintf(&b, "Option     %s: %s. %s, default %s\n", o.Name, o.Doc, allowed(o), o.Default)
	}
	fmt.Fprintf(&b, "Since      %s\n", k.Since)
	if len(k.Aliases) > 0 {
		fmt.Fprintf(&b, "Aliases    %s\n", pairs(k.Aliases))
	}
	if partly := Differences(k.Partly); len(partly) > 0 {
		fmt.Fprintf(&b, "Partly     %s\n", strings.Join(partly, "\n           "))
	}
	if weaker := Differences(k.Weaker); len(weaker) > 0 {
		fmt.Fprintf(&b, "Weaker     %s\n", strings.Join(weaker, "\n           "))
	}
	fmt.Fprintf(&b, "\nWhy it matters\n%s\n\nHow to fix it\n%s", indent(k.Risk), remedies(k.Remediation))
	if len(k.Controls) > 0 {
		fmt.Fprintf(&b, "\nWho asks for it\n%s\n", indent(askedBy(k.Controls)))
	}
	if k.Examples.Bad.Says != "" {
		fmt.Fprintf(&b, "\nFails\n%s\nPasses\n%s", shownExample(k.Examples.Bad), shownExample(k.Examples.Good))
	}
	fmt.Fprintf(&b, "\nRead more\n%s\n", indent(strings.Join(k.References, "\n")))
	_, err := io.WriteString(w, b.String())
	return err
}

func remedies(r shape.Remediation) string {
	var b strings.Builder
	for _, way := range []struct{ name, text string }{
		{"Console", r.Console}, {"CLI", r.CLI}, {"Terraform", r.Terraform}, {"CloudFormation", r.CloudFormation},
	} {
		if way.text != "" {
			fmt.Fprintf(&b, "  %s:\n%s\n", way.name, wrap(way.text, "    "))
		}
	}
	return b.String()
}

func indent(text string) string { return wrap(text, "  ") }

// wrap breaks the lines of a text at 78 columns and puts lead before each.
func wrap(text, lead string) string {
	var lines []string
	for paragraph := range strings.Lines(strings.TrimSpace(text)) {
		line := lead
		for _, word := range strings.Fields(paragraph) {
			if line != lead && len(line)+1+len(word) > 78 {
				lines = append(lines, line)
				line = lead
			}
			if line != lead {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
