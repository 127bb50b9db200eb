package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// ScoreText is a score with its bounds: "78 (71 to 83)", or "none" when nothing
// was assessed. Only what is not less is called 100. A score of an older version
// says so.
func ScoreText(s model.Score) string {
	if s.Assessed == 0 {
		return "none"
	}
	text := whole(s.Value)
	if worst, best := whole(s.Worst), whole(s.Best); worst != best {
		text += fmt.Sprintf(" (%s to %s)", worst, best)
	}
	if s.Version < model.ScoreVersion {
		text += fmt.Sprintf(", version %d", s.Version)
	}
	return text
}

func whole(score float64) string { return fmt.Sprintf("%.0f", math.Floor(score)) }

// CapText says that open critical checks hold a score down, and is empty if they
// do not.
func CapText(s model.Score) string {
	switch {
	case s.Assessed == 0 || s.Value >= s.Uncapped:
		return ""
	case s.Critical == 1:
		return fmt.Sprintf("at most %d while 1 critical check fails; %s without that limit", s.Cap, whole(s.Uncapped))
	default:
		return fmt.Sprintf("at most %d while %d critical checks fail; %s without that limit", s.Cap, s.Critical, whole(s.Uncapped))
	}
}

// ScoreChangeText holds a score beside the one before, or says why that cannot be
// done. It is empty if there is none before.
func ScoreChangeText(c *model.ScoreChange, now model.Score) string {
	if c == nil {
		return ""
	}
	before := ScoreText(c.Before)
	if c.Before.Assessed > 0 && c.Before.Coverage != now.Coverage {
		before += " at " + CoverageText(c.Before) + " coverage"
	}
	if len(c.Breaks) > 0 {
		return "not to be compared with the score before, which was " + before + ": " + strings.Join(c.Breaks, "; ")
	}
	return "was " + before
}

// CoverageText is the coverage of a score in percent. Only full coverage is
// called 100 %.
func CoverageText(s model.Score) string { return coverageText(s.Coverage) }

// Count is a number with its noun: "1 call", "2 calls".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Summary writes what an ended audit amounts to, for a person.
func Summary(w io.Writer, style Style, a model.Audit, worst []shape.Verdict) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(Plain(fmt.Sprintf(format, args...)) + "\n") }
	when := "since " + a.StartedAt.Local().Format(time.DateTime)
	if a.State.Ended() {
		when = "after " + a.EndedAt.Sub(a.StartedAt).Round(10*time.Millisecond).String()
	}
	line("Account %s, audit %s: %s %s", a.AccountID, a.ID, a.State, when)
	for _, p := range a.Problems {
		line("  %s", p)
	}
	s := a.Summary
	if s == nil {
		_, err := io.WriteString(w, b.String())
		return err
	}
	line("Score     %s", ScoreText(s.Score))
	for _, text := range []string{CapText(s.Score), ScoreChangeText(s.Changes.Score, s.Score)} {
		if text != "" {
			line("          %s", text)
		}
	}
	line("Coverage  %s (%d of %d verdicts), %s, %s, %s",
		CoverageText(s.Score), s.Score.Assessed, s.Score.Applicable, Count(len(a.Checks), "check"), Count(len(a.Services), "service"), Count(len(a.Regions), "region"))
	line("Looked at %s in %s%s", Count(s.Resources, "resource"), Count(s.Calls, "call"), loads(s.Load))
	var failed []string
	for _, severity := range model.Severities() {
		failed = append(failed, fmt.Sprintf("%s %d", paint(style, string(severity)), s.Failed[severity]))
	}
	line("Verdicts  %s", verdicts(s.Counts))
	fmt.Fprintf(&b, "Findings  %s\n", strings.Join(failed, "   "))
	if s.Changes.Previous != "" {
		line("Changes   %d new, %d resolved, %d reopened, %s newly blind since %s",
			s.Changes.New, s.Changes.Resolved, s.Changes.Reopened, Count(len(s.Changes.NewlyBlind), "check"), s.Changes.Previous)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if err := writeWorst(w, style, worst); err != nil {
		return err
	}
	return writeGaps(w, style, s.Gaps)
}

// verdicts says how often what was said.
func verdicts(n model.Counts) string {
	text := fmt.Sprintf("%s passed, %s failed", grouped(n.Pass), grouped(n.Fail))
	if n.Folded > 0 {
		text += fmt.Sprintf(" (%s of them follow from others)", grouped(n.Folded))
	}
	if n.NotAssessed > 0 {
		text += fmt.Sprintf(", %s not assessed", grouped(n.NotAssessed))
	}
	return text + fmt.Sprintf(", %s not applicable", grouped(n.NotApplicable))
}

// serviceRow is what an audit said of a service.
type serviceRow struct {
	name   string
	counts model.Counts
	failed map[model.Severity]int // that do not follow from others
}

// ByService writes what an audit said of each service, by its checks, those with the gravest
// failures first. Services of which nothing was there are left out.
func ByService(w io.Writer, style Style, a model.Audit, about func(model.CheckID) (check.Check, bool)) error {
	if a.Summary == nil {
		return nil
	}
	by := map[string]*serviceRow{}
	for id, counts := range a.Summary.Tally {
		c, known := about(id)
		if !known { // a check of another version
			c.Service, _, _ = strings.Cut(string(id), "-")
		}
		row := by[c.Service]
		if row == nil {
			row = &serviceRow{name: c.Service, failed: map[model.Severity]int{}}
			by[c.Service] = row
		}
		row.counts = row.counts.Add(counts)
		row.failed[c.Severity] += counts.Own()
	}
	var rows []serviceRow
	for _, row := range by {
		if row.counts.Total() > row.counts.NotApplicable {
			rows = append(rows, *row)
		}
	}
	slices.SortFunc(rows, func(a, b serviceRow) int {
		for _, severity := range model.Severities() {
			if d := cmp.Compare(b.failed[severity], a.failed[severity]); d != 0 {
				return d
			}
		}
		return cmp.Compare(a.name, b.name)
	})
	number := func(of func(serviceRow) int) func(serviceRow) string {
		return func(r serviceRow) string { return grouped(of(r)) }
	}
	columns := []Column[serviceRow]{
		{Name: "service", Value: func(r serviceRow) string { return r.name }},
		{Name: "score", Value: func(r serviceRow) string { return ScoreText(a.Summary.Services[r.name]) }},
	}
	for _, severity := range model.Severities() {
		columns = append(columns, Column[serviceRow]{Name: string(severity), Value: number(func(r serviceRow) int { return r.failed[severity] })})
	}
	return titled(w, style, "By service", rows, append(columns,
		Column[serviceRow]{Name: "passed", Value: number(func(r serviceRow) int { return r.counts.Pass })},
		Column[serviceRow]{Name: "not assessed", Value: number(func(r serviceRow) int { return r.counts.NotAssessed })},
	))
}

// loads says what the calls were for the account: to which services most went, and how
// many AWS refused for their rate.
func loads(load map[string]model.Load) string {
	type service struct {
		name string
		model.Load
	}
	var all []service
	sum := model.Load{}
	for name, l := range load {
		all = append(all, service{name, l})
		sum = sum.Add(l)
	}
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(a, b service) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.name, b.name))
	})
	var most []string
	for _, s := range all[:min(3, len(all))] {
		most = append(most, fmt.Sprintf("%s %d", s.name, s.Attempts))
	}
	text := " to AWS, most of them " + strings.Join(most, ", ")
	if more := sum.Attempts - sum.Calls; more > 0 {
		text += fmt.Sprintf("; %d repeated", more)
	}
	if sum.Throttled > 0 {
		text += fmt.Sprintf(", %d throttled", sum.Throttled)
	}
	return text
}

func writeWorst(w io.Writer, style Style, worst []shape.Verdict) error {
	return titled(w, style, "The worst", worst, []Column[shape.Verdict]{
		{Name: "severity", Value: func(v shape.Verdict) string { return string(v.Severity) }},
		{Name: "check", Value: func(v shape.Verdict) string { return string(v.Check) }},
		{Name: "region", Value: func(v shape.Verdict) string { return v.Region }, Fit: Place},
		{Name: "resource", Ref: func(v shape.Verdict) model.Ref { return v.Ref() }},
		{Name: "why", Value: func(v shape.Verdict) string { return v.Reason }, Fit: Prose},
	})
}

func writeGaps(w io.Writer, style Style, gaps []model.GapCount) error {
	return titled(w, style, "Not assessed, and what would change that", gaps, []Column[model.GapCount]{
		{Name: "verdicts", Value: func(g model.GapCount) string { return fmt.Sprint(g.Count) }},
		{Name: "checks", Value: func(g model.GapCount) string { return fmt.Sprint(len(g.Checks)) }},
		{Name: "reason", Value: func(g model.GapCount) string { return g.Reason }},
		{Name: "remedy", Value: Remedy, Fit: Prose},
		{Name: "regions", Value: func(g model.GapCount) string { return few(g.Regions) }, Fit: Prose},
	})
}

// titled is a table with a heading, of what there is any of.
func titled[T any](w io.Writer, style Style, title string, rows []T, columns []Column[T]) error {
	if len(rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
		return err
	}
	_, err := writeTable(w, style, rows, columns, false) // has no column to spare
	return err
}

// Remedy says what would close a gap.
func Remedy(g model.GapCount) string {
	switch {
	case g.Reason == string(fact.SCPDenied):
		return "allow " + g.Action + " in the organization's policies"
	case g.Reason == string(fact.ResourceDenied):
		return "allow " + g.Operation + " in the policies of the resources themselves, which deny it"
	case g.Reason == string(fact.Expired):
		return "sign in again, and audit once more"
	case g.Action != "":
		return "allow " + g.Action
	case g.Operation != "" && g.Detail != "":
		return g.Operation + ": " + g.Detail
	default:
		return g.Operation + g.Detail
	}
}

func few(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
}

// Short names a resource within its account: the part of the ARN after the
// account, and the part of the resource that is meant.
func Short(r model.Ref) string {
	parts := strings.SplitN(r.ARN, ":", 6)
	name := parts[len(parts)-1]
	if len(parts) == 6 && name == "*" {
		name = parts[2] + " " + name
	}
	if r.Sub != "" {
		name += " " + r.Sub
	}
	return name
}

// ByGravity orders findings: the gravest first, then by check and resource.
func ByGravity(a, b model.Finding) int {
	if d := b.Severity.Weight() - a.Severity.Weight(); d != 0 {
		return d
	}
	if d := strings.Compare(string(a.Check), string(b.Check)); d != 0 {
		return d
	}
	return strings.Compare(a.Resource.String(), b.Resource.String())
}
