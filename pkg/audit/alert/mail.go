package alert

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// How much of what an alert holds is told to people, who find the rest where the
// letter says.
const (
	toldText     = 300 // bytes of a resource, a reason or a problem
	toldName     = 64  // bytes of an account's name, or of an action's
	toldSubject  = 32  // bytes of an account's name in a subject
	toldProblems = 5
	toldNames    = 20      // checks or actions
	toldPatch    = 4 << 10 // bytes of a statement; a larger one is left where it can be read
	toldWhen     = "2006-01-02 15:04 UTC"
)

// headline says in one line what happened, in which account.
func (a Alert) headline(account string) string {
	switch a.Kind {
	case KindFinding:
		switch f := a.Finding; model.EventKind(a.Change) {
		case model.EventBlind:
			return fmt.Sprintf("%s finding in %s cannot be assessed any more: %s", f.Severity, account, f.Check)
		case model.EventUnfolded:
			return fmt.Sprintf("%s finding in %s stays, though its cause is mended: %s", f.Severity, account, f.Check)
		default:
			return fmt.Sprintf("%s %s finding in %s: %s", a.Change, f.Severity, account, f.Check)
		}
	case KindDigest:
		return fmt.Sprintf("%s in %s: %s", many(sum(a.Severity), "finding"), account, tell(a.Changes))
	case KindAudit:
		text := fmt.Sprintf("audit of %s %s", account, ended[a.State])
		if a.Score != nil && a.Score.Assessed > 0 {
			text += fmt.Sprintf(", score %.1f", a.Score.Value)
		}
		return text
	case KindConnection:
		return fmt.Sprintf("%s can no longer be opened", account)
	case KindBlind:
		return fmt.Sprintf("%s of %s cannot be assessed any more", many(len(a.Checks), "check"), account)
	case KindDrift:
		return fmt.Sprintf("audits of %s lack %s", account, many(len(a.Actions), "IAM action"))
	}
	return a.Kind + " " + a.Change + " in " + account
}

var ended = map[model.AuditState]string{
	model.AuditDone: "is done", model.AuditPartial: "ended in part", model.AuditFailed: "failed", model.AuditCancelled: "was cancelled",
}

func (a Alert) subject() string {
	return notify.Headline("CloudArq: " + a.headline(a.account(toldSubject)))
}

// account names the audited account for people, with what is known of it.
func (a Alert) account(limit int) string {
	name, id := quote(a.about.Name, limit), quote(a.Account, toldName)
	switch {
	case name != "" && id != "":
		return name + " (" + id + ")"
	case name != "":
		return name
	case id != "":
		return id
	}
	return "unknown (connection " + string(a.Connection) + ")"
}

// text is the alert as a letter: what happened, what to do, where to look. It has
// nothing that the JSON or the catalogue does not have, but for the account's name.
func (a Alert) text() string {
	var l letter
	l.line("%s.", upper(a.headline("account "+a.account(toldName))))
	switch a.Kind {
	case KindFinding:
		l.finding(a)
	case KindDigest:
		l.counts("Changed, by severity", a.Severity)
		l.worst(a)
		l.part("What to do", "Look at the gravest first: at what was done in the account between the two audits.")
	case KindAudit:
		l.audit(a)
	case KindConnection:
		l.part("AWS says", list(a.Problems, toldProblems, toldText)...)
		l.part("What to do", "Until its role lets audits in again, nothing of this account is looked at; its findings stay as they were.",
			"If that was not meant: deploy the role again, and verify the connection.")
	case KindBlind, KindDrift:
		l.permissions(a)
	}
	l.part("Look closer (requests to the API, signed with AWS credentials)", a.paths()...)
	about := []string{"Account       " + a.account(toldName)}
	if a.Project != "" {
		about = append(about, "Project       "+quote(a.Project, toldName))
	}
	about = append(about, "Organization  "+string(a.Organization), "Audit         "+string(a.Audit)+", "+a.times(), "Alert         "+a.ID)
	l.part("About", about...)
	return l.String()
}

func (a Alert) times() string {
	text := "begun " + a.At.UTC().Format(toldWhen)
	if end := a.about.Audit.EndedAt; !end.IsZero() {
		text += ", ended " + end.UTC().Format(toldWhen)
	}
	return text
}

// paths are where more is to be read.
func (a Alert) paths() []string {
	connection := "/v1/connections/" + string(a.Connection)
	switch a.Kind {
	case KindFinding:
		return []string{"GET /v1/findings/" + string(a.Finding.ID)}
	case KindDigest:
		return []string{"GET " + connection + "/findings"}
	case KindConnection:
		return []string{"GET " + connection, "POST " + connection + "/verify"}
	case KindBlind, KindDrift:
		return []string{"GET " + connection + "/drift"}
	}
	paths := []string{"GET " + connection + "/audits/" + string(a.Audit), "GET " + connection + "/findings"}
	if a.State == model.AuditPartial {
		paths = append(paths, "POST "+connection+"/audits/"+string(a.Audit)+"/retry")
	}
	return paths
}

// letter is a text for people that is being written.
type letter struct{ strings.Builder }

func (l *letter) line(format string, args ...any) {
	fmt.Fprintf(&l.Builder, format+"\n", args...)
}

// part writes lines under a heading; none are left out with it.
func (l *letter) part(heading string, lines ...string) {
	if len(lines) == 0 {
		return
	}
	l.line("\n%s", heading)
	for _, text := range lines {
		l.line("  %s", text)
	}
}

func (l *letter) counts(heading string, by map[model.Severity]int) {
	if text := bySeverity(by); text != "" {
		l.part(heading, text)
	}
}

// bySeverity is how many there are of each severity, the gravest first.
func bySeverity(by map[model.Severity]int) string {
	var counts []string
	for _, s := range model.Severities() {
		if by[s] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", by[s], s))
		}
	}
	return strings.Join(counts, ", ")
}

func (l *letter) finding(a Alert) {
	f := *a.Finding
	l.part("What was found", f.told(a)...)
	text := a.about.Texts[f.Check]
	switch model.EventKind(a.Change) {
	case model.EventResolved:
		l.part("What to do", "Nothing: it is told so that who waits for it knows.")
	case model.EventBlind:
		l.part("What to do", "It could not be looked at any more, and stays as it was. Allow what audits lack.")
	default:
		if text.Risk != "" {
			l.part("Why it matters", says(text.Risk))
		}
		what := []string{}
		for _, way := range []string{text.Remediation.Console, text.Remediation.CLI} {
			if way != "" {
				what = append(what, says(way))
			}
		}
		l.part("What to do", what...)
	}
}

// told is a finding in three lines or four.
func (f Finding) told(a Alert) []string {
	title := a.about.Texts[f.Check].Title
	if title == "" {
		title = string(f.Check)
	} else {
		title = says(title) + " (" + string(f.Check) + ")"
	}
	where := quote(f.Resource, toldText)
	if f.Region != "" {
		where += ", " + quote(f.Region, toldName)
	}
	lines := []string{fmt.Sprintf("%s, %s: %s", f.Severity, f.Change, title), where}
	if f.Reason != "" {
		lines = append(lines, quote(f.Reason, toldText))
	}
	return lines
}

func (l *letter) worst(a Alert) {
	if len(a.Worst) == 0 {
		return
	}
	l.line("\nThe gravest")
	for i, f := range a.Worst[:min(len(a.Worst), WorstShown)] {
		for n, text := range f.told(a) {
			if n == 0 {
				l.line("  %2d. %s", i+1, text)
			} else {
				l.line("      %s", text)
			}
		}
	}
}

func (l *letter) audit(a Alert) {
	if s := a.Score; s != nil {
		score := "Nothing could be assessed."
		if s.Assessed > 0 {
			score = fmt.Sprintf("%.1f of 100, between %.1f and %.1f when all is known; %.0f %% of what applies was assessed", s.Value, s.Worst, s.Best, 100*s.Coverage)
		}
		l.part("Score", score)
	}
	if c := a.Changes; c != nil {
		changed := "nothing, as far as it was looked at"
		if n := tell(c); n != "" {
			changed = n
		} else if c.Previous == "" {
			changed = "this is the first audit"
		}
		l.part("Changed since the audit before", changed)
	}
	l.counts("Open failures, by severity", a.Severity)
	l.worst(a)
	l.part("Problems", list(a.Problems, toldProblems, toldText)...)
	var what []string
	switch a.State {
	case model.AuditPartial:
		what = append(what, "What was not read was not assessed. When the problem is over, have the rest done (retry), or audit anew.")
	case model.AuditFailed:
		what = append(what, "Nothing was assessed. The problems say why; the findings stay as they were.")
	case model.AuditDone, model.AuditCancelled, model.AuditConnecting, model.AuditRunning:
	}
	if a.Reminder != "" {
		what = append(what, quote(a.Reminder, 4*maxText))
	}
	l.part("What to do", what...)
}

func (l *letter) permissions(a Alert) {
	checks := make([]string, 0, len(a.Checks))
	for _, id := range a.Checks {
		text := string(id)
		if title := a.about.Texts[id].Title; title != "" {
			text = says(title) + " (" + text + ")"
		}
		checks = append(checks, text)
	}
	l.part("Checks that cannot be assessed", list(checks, toldNames, toldText)...)
	l.part("IAM actions that are missing", list(a.Actions, toldNames, toldName)...)
	if a.Patch != nil {
		if patch, err := json.MarshalIndent(a.Patch, "", "  "); err == nil && len(patch) <= toldPatch {
			lines := strings.Split(string(patch), "\n")
			for i, text := range lines {
				lines[i] = model.Clean(text)
			}
			l.part("What to do", append([]string{"Allow them to the audit role, by the newest template or by this statement:"}, lines...)...)
			return
		}
	}
	if len(a.Actions) > 0 {
		l.part("What to do", "Allow them to the audit role, by the newest template.")
	} else {
		l.part("What to do", "See what stands in the way of each check; it is not a permission of the role.")
	}
}

// tell says what changed, or nothing.
func tell(c *model.Changes) string {
	if c == nil {
		return ""
	}
	var all []string
	for _, n := range []struct {
		n    int
		what string
	}{{c.New, "new"}, {c.Reopened, "reopened"}, {c.Resolved, "resolved"}} {
		if n.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	return strings.Join(all, ", ")
}

func sum(by map[model.Severity]int) (n int) {
	for _, some := range by {
		n += some
	}
	return n
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// list is the first of some texts, and how many there are more.
func list(texts []string, most, limit int) []string {
	var all []string
	for _, text := range texts[:min(len(texts), most)] {
		all = append(all, quote(text, limit))
	}
	if more := len(texts) - most; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return all
}

// quote is a text of somebody else's in a letter: one line, bounded, and nothing that a
// mail program makes a link of. Who owns an audited account chooses its names, and must
// not put its own link into a letter of ours.
func quote(text string, limit int) string {
	return strings.TrimSpace(model.Cut(links.ReplaceAllStringFunc(model.Cut(text, limit), brackets.Replace), limit))
}

// says is a text of the catalogue's, as one line.
func says(text string) string { return strings.TrimSpace(model.Clean(text)) }

// links are beginnings of what mail programs make links of, and brackets are what keeps
// them from it.
var (
	links    = regexp.MustCompile(`(?i)://|www\.|mailto:`)
	brackets = strings.NewReplacer(":", "[:]", ".", "[.]")
)
