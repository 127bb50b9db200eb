package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

// StandingColumns are the columns of frameworks.
func StandingColumns() []Column[compliance.Standing] {
	number := func(name string, of func(compliance.Standing) int, fit Fit) Column[compliance.Standing] {
		return Column[compliance.Standing]{Name: name, Value: func(s compliance.Standing) string { return strconv.Itoa(of(s)) }, Fit: fit}
	}
	wide := func(name string, of func(compliance.Standing) int) Column[compliance.Standing] {
		c := number(name, of, 0)
		c.Wide = true
		return c
	}
	return []Column[compliance.Standing]{
		{Name: "framework", Value: func(s compliance.Standing) string { return s.Framework }},
		number("passing", func(s compliance.Standing) int { return s.States.Passing }, 0),
		number("failing", func(s compliance.Standing) int { return s.States.Failing }, 0),
		number("partly_checked", func(s compliance.Standing) int { return s.States.PartlyChecked }, 0),
		number("not_assessed", func(s compliance.Standing) int { return s.States.NotAssessed }, 0),
		number("no_automated_check", func(s compliance.Standing) int { return s.States.NoCheck }, Spare),
		number("not_applicable", func(s compliance.Standing) int { return s.States.NotApplicable }, Spare),
		number("requirements", func(s compliance.Standing) int { return s.Covers.Requirements }, Spare),
		wide("automatable", func(s compliance.Standing) int { return s.Covers.Automatable }),
		wide("checked", func(s compliance.Standing) int { return s.Covers.Checked }),
		wide("whole", func(s compliance.Standing) int { return s.Covers.Whole }),
		wide("checks", func(s compliance.Standing) int { return s.Covers.Checks }),
		wide("accounts", func(s compliance.Standing) int { return s.Accounts }),
		wide("not_audited", func(s compliance.Standing) int { return s.NotAudited }),
		{Name: "title", Value: FrameworkName, Fit: Prose},
		{Name: "publisher", Value: func(s compliance.Standing) string { return s.Publisher }, Fit: Prose, Wide: true},
		{Name: "source", Value: func(s compliance.Standing) string { return s.Source }, Wide: true},
		{Name: "mapping", Value: func(s compliance.Standing) string { return s.Mapping }, Fit: Prose, Wide: true},
	}
}

// FrameworkName is what a framework is called, with its version.
func FrameworkName(s compliance.Standing) string {
	if s.Version == "" || strings.Contains(s.Title, s.Version) {
		return s.Title
	}
	return s.Title + " " + s.Version
}

// StatesText says how many requirements are in which states.
func StatesText(n compliance.RequirementsIn) string {
	var all []string
	for _, one := range []struct {
		n    int
		text string
	}{
		{n.Failing, "failing"},
		{n.NotAssessed, "not assessed"},
		{n.PartlyChecked, "partly checked"},
		{n.NoCheck, "without an automated check"},
		{n.Passing, "passing"},
		{n.NotApplicable, "not applicable"},
	} {
		if one.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", one.n, one.text))
		}
	}
	return strings.Join(all, ", ")
}

// AskedColumns are the columns of requirements.
func AskedColumns() []Column[compliance.Asked] {
	count := func(name string, of func(compliance.Verdicts) int) Column[compliance.Asked] {
		return Column[compliance.Asked]{Name: name, Value: func(a compliance.Asked) string { return strconv.Itoa(of(a.Verdicts)) }, Wide: true}
	}
	return []Column[compliance.Asked]{
		{Name: "framework", Value: func(a compliance.Asked) string { return a.Framework }, Wide: true},
		{Name: "id", Value: func(a compliance.Asked) string { return a.ID }},
		{Name: "section", Value: func(a compliance.Asked) string { return a.Section }, Fit: Spare},
		{Name: "state", Value: func(a compliance.Asked) string { return string(a.State) }, Compare: byState},
		{Name: "mapped", Value: func(a compliance.Asked) string { return fmt.Sprintf("%d of %d", a.Mapped, a.Parts) }},
		{Name: "attested", Value: func(a compliance.Asked) string { return a.Attested }, Wide: true},
		count("pass", func(v compliance.Verdicts) int { return v.Pass }),
		count("fail", func(v compliance.Verdicts) int { return v.Fail }),
		count("excepted", func(v compliance.Verdicts) int { return v.Excepted }),
		count("not_applicable", func(v compliance.Verdicts) int { return v.NotApplicable }),
		count("not_assessed", func(v compliance.Verdicts) int { return v.NotAssessed }),
		count("not_run", func(v compliance.Verdicts) int { return v.Missing }),
		{Name: "checks", Value: func(a compliance.Asked) string { return strings.Join(words(a.Checks), " ") }, Wide: true},
		{Name: "titles", Value: func(a compliance.Asked) string { return strings.Join(a.Titles, "; ") }, Fit: Prose},
	}
}

// byState puts the worst first.
func byState(a, b compliance.Asked) int {
	order := requirement.States()
	return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
}

// WholeAskedColumns are the columns of a requirement that is shown by itself.
func WholeAskedColumns() []Column[compliance.WholeAsked] {
	var all []Column[compliance.WholeAsked]
	for _, c := range AskedColumns() {
		all = append(all, Column[compliance.WholeAsked]{Name: c.Name, Value: func(w compliance.WholeAsked) string { return c.Value(w.Asked) }, Fit: c.Fit, Wide: c.Wide})
	}
	return all
}

// AttestationColumns are the columns of attestations.
func AttestationColumns() []Column[compliance.Attestation] {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	who := func(a *model.Actor) string {
		if a == nil {
			return ""
		}
		return cmp.Or(a.Name, a.ID)
	}
	type row = compliance.Attestation
	return []Column[row]{
		{Name: "id", Value: func(a row) string { return string(a.ID) }},
		{Name: "framework", Value: func(a row) string { return a.Framework }},
		{Name: "requirement", Value: func(a row) string { return a.Requirement }},
		{Name: "state", Value: func(a row) string { return string(a.State) }},
		{Name: "covers", Value: func(a row) string { return string(a.Covers) }, Fit: Spare},
		{Name: "of", Value: attestedOf, Fit: Spare},
		{Name: "until", Value: func(a row) string { return moment(a.Until) }},
		{Name: "requested_by", Value: func(a row) string { return who(&a.RequestedBy) }, Fit: Spare},
		{Name: "requested_at", Value: func(a row) string { return moment(a.RequestedAt) }, Wide: true},
		{Name: "approved_by", Value: func(a row) string { return who(a.ApprovedBy) }, Wide: true},
		{Name: "approved_at", Value: func(a row) string { return moment(a.ApprovedAt) }, Wide: true},
		{Name: "withdrawn_by", Value: func(a row) string { return who(a.WithdrawnBy) }, Wide: true},
		{Name: "evidence", Value: func(a row) string { return a.Evidence }, Wide: true},
		{Name: "why", Value: func(a row) string { return a.Why }, Fit: Prose},
	}
}

func attestedOf(a compliance.Attestation) string {
	switch {
	case a.Connection != "":
		return "connection " + string(a.Connection)
	case a.Project != "":
		return "project " + a.Project
	default:
		return "all accounts"
	}
}

// ExplainRequirement writes all that is known of a requirement, for a person.
func ExplainRequirement(w io.Writer, r compliance.WholeAsked) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Framework, r.ID)
	if r.Section != "" {
		fmt.Fprintf(&b, "%s\n", r.Section)
	}
	fmt.Fprintf(&b, "\nState      %s\nMapped     %d of %s\n", strings.ReplaceAll(string(r.State), "_", " "), r.Mapped, Count(r.Parts, "check"))
	if r.Attested != "" {
		fmt.Fprintf(&b, "Attested   %s\n", map[string]string{string(model.CoversRequirement): "all of it", string(model.CoversManual): "what no check looks at"}[r.Attested])
	}
	for _, p := range r.Detail {
		fmt.Fprintf(&b, "\n%s: %s\n", p.Part, strings.ReplaceAll(string(p.State), "_", " "))
		if len(p.Checks) == 0 {
			b.WriteString("  no check here looks at it\n")
		}
		for _, k := range p.Checks {
			fmt.Fprintf(&b, "%s\n", wrap(fmt.Sprintf("%s (%s): %s", k.Check, k.Severity, k.Title), "  "))
			if k.Optional != "" {
				fmt.Fprintf(&b, "%s\n", wrap("runs only if it is named, or by --framework: "+k.Optional, "    "))
			}
		}
		if p.Weaker {
			b.WriteString("  it asks for more than these checks do\n")
		}
		if v := verdictsText(p.Verdicts); v != "" {
			fmt.Fprintf(&b, "  %s\n", v)
		}
	}
	for _, a := range r.Attestations {
		fmt.Fprintf(&b, "\nAttestation %s: %s until %s, by %s, of %s\n%s\n", a.ID, a.State, a.Until.UTC().Format(time.RFC3339), cmp.Or(a.RequestedBy.Name, a.RequestedBy.ID), attestedOf(a), indent(a.Why))
		if a.ApprovedBy != nil {
			fmt.Fprintf(&b, "  approved by %s\n", cmp.Or(a.ApprovedBy.Name, a.ApprovedBy.ID))
		}
		if a.Evidence != "" {
			fmt.Fprintf(&b, "  %s\n", a.Evidence)
		}
	}
	_, err := io.WriteString(w, PlainLines(b.String()))
	return err
}

func verdictsText(v compliance.Verdicts) string {
	var all []string
	for _, one := range []struct {
		n    int
		text string
	}{{v.Pass, "PASS"}, {v.Fail, "FAIL"}, {v.NotApplicable, "NOT_APPLICABLE"}, {v.NotAssessed, "NOT_ASSESSED"}} {
		if one.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", one.n, one.text))
		}
	}
	if v.Excepted > 0 {
		all = append(all, Count(v.Excepted, "failure")+" excepted")
	}
	if v.Missing > 0 {
		all = append(all, "not run in "+Count(v.Missing, "account"))
	}
	return strings.Join(all, ", ")
}
