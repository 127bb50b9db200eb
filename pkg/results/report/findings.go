package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// FindingColumns are the columns of findings.
func FindingColumns(texts map[model.CheckID]check.Text) []Column[model.Finding] {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return []Column[model.Finding]{
		{Name: "id", Value: func(f model.Finding) string { return string(f.ID)[:min(10, len(f.ID))] }},
		{Name: "finding", Value: func(f model.Finding) string { return string(f.ID) }, Wide: true},
		{Name: "severity", Value: func(f model.Finding) string { return string(f.Severity) }, Compare: BySeverity(func(f model.Finding) model.Severity { return f.Severity })},
		{Name: "state", Value: func(f model.Finding) string { return string(f.State) }, Fit: Spare},
		{Name: "check", Value: func(f model.Finding) string { return string(f.Check) }},
		{Name: "title", Value: func(f model.Finding) string { return texts[f.Check].Title }, Fit: Prose, Wide: true},
		{Name: "account", Value: func(f model.Finding) string { return f.Resource.Account }, Fit: Place},
		{Name: "region", Value: func(f model.Finding) string { return f.Resource.Region }, Fit: Place},
		{Name: "resource", Ref: func(f model.Finding) model.Ref { return f.Resource }},
		{Name: "resource_type", Value: func(f model.Finding) string { return f.Kind }, Wide: true},
		{Name: "service", Value: func(f model.Finding) string { return f.Service }, Wide: true},
		{Name: "reason", Value: func(f model.Finding) string { return f.Reason }, Fit: Prose},
		{Name: "cause", Value: func(f model.Finding) string { return string(f.Cause) }, Wide: true},
		{Name: "first_seen", Value: func(f model.Finding) string { return stamp(f.FirstSeen) }, Wide: true},
		{Name: "resolved_at", Value: func(f model.Finding) string { return stamp(f.ResolvedAt) }, Wide: true},
		{Name: "why_resolved", Value: func(f model.Finding) string { return f.Why }, Wide: true},
		{Name: "blind_since", Value: func(f model.Finding) string { return stamp(f.BlindSince) }, Wide: true},
	}
}

// Finding writes all that is known of a finding, for a person.
func Finding(w io.Writer, f model.Finding, t check.Text) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(Plain(fmt.Sprintf(format, args...)) + "\n") }
	line("%s", t.Title)
	line("%s", f.Resource)
	line("")
	line("Finding    %s", f.ID)
	line("Check      %s", f.Check)
	line("Severity   %s", f.Severity)
	line("State      %s", f.State)
	line("Account    %s, %s", f.Resource.Account, f.Resource.Region)
	line("First seen %s", f.FirstSeen.UTC().Format(time.RFC3339))
	if !f.ResolvedAt.IsZero() {
		line("Resolved   %s: %s", f.ResolvedAt.UTC().Format(time.RFC3339), f.Why)
	}
	if !f.BlindSince.IsZero() {
		line("Not seen   since %s: it could not be read", f.BlindSince.UTC().Format(time.RFC3339))
	}
	line("Why        %s", f.Reason)
	if f.Cause != "" {
		line("Cause      %s fails for the same resource; mend that first", f.Cause)
	}

	var exhibits []evidence.Exhibit
	if len(f.Evidence) > 0 {
		if err := json.Unmarshal(f.Evidence, &exhibits); err != nil {
			return fmt.Errorf("evidence of finding %s: %w", f.ID, err)
		}
	}
	if len(exhibits) > 0 {
		b.WriteString("\nEvidence\n")
		for _, x := range exhibits {
			name := x.Fact
			if x.Resource != "" {
				name += " of " + x.Resource
			}
			line("  %s", name)
			b.WriteString(PlainLines(pretty(x.Content)) + "\n")
		}
	}
	fmt.Fprintf(&b, "\nWhy it matters\n%s\n\nHow to fix it\n%s", indent(t.Risk), remedies(t.Remediation))
	b.WriteString("\nHistory\n")
	for _, e := range f.History {
		line("  %s  %-9s %s (audit %s)", e.At.UTC().Format(time.RFC3339), e.What, e.Note, e.Audit)
	}
	fmt.Fprintf(&b, "\nRead more\n%s\n", indent(strings.Join(t.References, "\n")))
	_, err := io.WriteString(w, b.String())
	return err
}

// pretty is the content of a fact, indented.
func pretty(content json.RawMessage) string {
	var wire struct {
		Value json.RawMessage `json:"value"`
		Gap   json.RawMessage `json:"gap"`
		Set   json.RawMessage `json:"set"`
	}
	if json.Unmarshal(content, &wire) == nil && wire.Value != nil {
		content = wire.Value
	} else if wire.Gap != nil {
		content = wire.Gap
	} else if wire.Set != nil {
		content = wire.Set
	}
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		return "    " + Plain(string(content))
	}
	data, err := json.MarshalIndent(value, "    ", "  ")
	if err != nil {
		return "    " + Plain(string(content))
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		lines = append(lines, Plain(line))
	}
	return "    " + strings.Join(lines, "\n")
}
