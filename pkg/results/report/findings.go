package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// FindingColumns are the columns of findings.
func FindingColumns() []Column[shape.Finding] {
	return Members(
		Column[shape.Finding]{Name: "id", Value: func(f shape.Finding) string { return string(f.ID) }, Short: func(f shape.Finding) string { return string(f.ID)[:min(shortID, len(f.ID))] }},
		Column[shape.Finding]{Name: "severity", Value: func(f shape.Finding) string { return string(f.Severity) }, Compare: BySeverity(func(f shape.Finding) model.Severity { return f.Severity })},
		Column[shape.Finding]{Name: "state", Value: func(f shape.Finding) string { return string(f.State) }, Fit: Spare},
		Column[shape.Finding]{Name: "check", Value: func(f shape.Finding) string { return string(f.Check) }},
		Column[shape.Finding]{Name: "account", Value: func(f shape.Finding) string { return f.Account }, Fit: Place},
		Column[shape.Finding]{Name: "region", Value: func(f shape.Finding) string { return f.Region }, Fit: Place},
		Column[shape.Finding]{Name: "resource", Value: func(f shape.Finding) string { return f.Resource }, Ref: func(f shape.Finding) model.Ref { return f.Ref() }},
		Column[shape.Finding]{Name: "reason", Value: func(f shape.Finding) string { return f.Reason }, Fit: Prose},
	)
}

// shortID is how much of a finding's id tables show, which is enough to find it by.
const shortID = 10

// Finding writes all that is known of a finding, for a person.
func Finding(w io.Writer, f shape.Finding) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(Plain(fmt.Sprintf(format, args...)) + "\n") }
	line("%s", f.Title)
	line("%s", f.Ref())
	line("")
	line("Finding    %s", f.ID)
	line("Check      %s", f.Check)
	line("Severity   %s", f.Severity)
	line("State      %s", f.State)
	account := f.Account
	if f.AccountName != "" {
		account += " (" + f.AccountName + ")"
	}
	line("Account    %s, %s", account, f.Region)
	line("First seen %s", f.FirstSeen.UTC().Format(time.RFC3339))
	if f.ResolvedAt != nil {
		line("Resolved   %s: %s", when(*f.ResolvedAt), f.Resolution)
	}
	if f.BlindSince != nil {
		line("Not seen   since %s: it could not be read", when(*f.BlindSince))
	}
	line("Why        %s", f.Reason)
	if f.Cause != "" {
		line("Cause      %s fails for the same resource; mend that first", f.Cause)
	}

	if len(f.Evidence) > 0 {
		b.WriteString("\nEvidence\n")
		for _, x := range f.Evidence {
			name := x.Fact
			if x.Resource != "" {
				name += " of " + x.Resource
			}
			line("  %s", name)
			b.WriteString(PlainLines(pretty(x)) + "\n")
		}
	}
	fmt.Fprintf(&b, "\nWhy it matters\n%s\n\nHow to fix it\n%s", indent(f.Risk), remedies(f.Remediation))
	b.WriteString("\nHistory\n")
	for _, e := range f.History {
		line("  %s  %-9s %s (audit %s)", e.At.UTC().Format(time.RFC3339), e.What, e.Note, e.Audit)
	}
	fmt.Fprintf(&b, "\nRead more\n%s\n", indent(strings.Join(f.References, "\n")))
	_, err := io.WriteString(w, b.String())
	return err
}

// pretty is what a fact says, indented.
func pretty(x shape.Exhibit) string {
	var content json.RawMessage
	switch {
	case x.Gap != nil:
		content, _ = json.Marshal(x.Gap) // of strings, it cannot fail
	case x.Set != nil:
		content = x.Set
	case x.Cut != "":
		return fmt.Sprintf("    %s… (%d bytes)", Plain(oneLine.Replace(x.Cut)), x.Bytes)
	default:
		content = x.Value
	}
	if len(content) == 0 {
		return "    null"
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
