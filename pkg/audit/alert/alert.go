// Package alert puts into words what CloudArq announces: findings that changed,
// audits that ended, connections that broke, checks that went blind, permissions
// that are missing. It is pure:
// the same change gives the same message with the same id, so that a subscriber
// who meets one twice can drop it. docs/alert.schema.json describes the messages.
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// The kinds of alerts.
const (
	KindFinding    = "finding"    // one finding changed
	KindDigest     = "digest"     // many findings of a service changed at once
	KindAudit      = "audit"      // an audit ended
	KindBlind      = "blind"      // checks that could be assessed before cannot be any more
	KindDrift      = "drift"      // IAM actions are missing that were not before
	KindConnection = "connection" // an account can no longer be opened
)

// Kind is a kind of alerts, with one of the changes that it has.
type Kind struct{ Kind, Change string }

// Kinds lists all kinds with all changes of each.
func Kinds() []Kind {
	all := []Kind{
		{KindDigest, "many"}, {KindAudit, "finished"}, {KindBlind, "blind"}, {KindDrift, "missing"}, {KindConnection, "broken"},
	}
	for _, change := range []model.EventKind{model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind, model.EventUnfolded} {
		all = append(all, Kind{KindFinding, string(change)})
	}
	return all
}

// Limit is how many findings of one service may change in an audit before they
// are announced together.
const Limit = 25

// maxText bounds what an alert repeats of a reason or a resource, in bytes.
const maxText = 512

// WorstShown is how many findings a digest names.
const WorstShown = 10

// Alert is the body of a message.
type Alert struct {
	Version      int                  `json:"v"`
	ID           string               `json:"id"`
	Kind         string               `json:"kind"`
	Change       string               `json:"change"`
	At           time.Time            `json:"at"`
	Organization model.OrganizationID `json:"organization"`
	Project      string               `json:"project,omitempty"`
	Connection   model.ConnectionID   `json:"connection"`
	Account      string               `json:"account"`
	Audit        model.AuditID        `json:"audit"`
	CloudArq     string               `json:"cloudarq,omitempty"` // the version that began the audit
	Summary      string               `json:"summary"`            // one sentence

	Finding  *Finding               `json:"finding,omitempty"`
	Changes  *model.Changes         `json:"changes,omitempty"`
	Severity map[model.Severity]int `json:"severities,omitempty"` // failures, or changes in a digest
	Worst    []Finding              `json:"worst,omitempty"`
	Score    *model.Score           `json:"score,omitempty"`
	State    model.AuditState       `json:"state,omitempty"`
	Reminder string                 `json:"reminder,omitempty"` // see Reminder
	Problems []string               `json:"problems,omitempty"`
	Checks   []model.CheckID        `json:"checks,omitempty"`
	Actions  []string               `json:"actions,omitempty"` // IAM actions that would end the blindness
	Patch    *drift.Statement       `json:"patch,omitempty"`   // for the role's policy, if that is what lacks them
	// Policy and Published are the versions of the published policy: that which the
	// role was made of, if it was, and the newest.
	Policy    string `json:"policy,omitempty"`
	Published string `json:"published,omitempty"`

	// Truncated says that the message was too large, and leaves out what the finding
	// or the audit itself still has.
	Truncated bool `json:"truncated,omitempty"`

	attributes map[string]string
	about      Of
}

// Finding is what an alert says of a finding.
type Finding struct {
	ID       model.FindingID `json:"id"`
	Check    model.CheckID   `json:"check"`
	Severity model.Severity  `json:"severity"`
	Resource string          `json:"resource"`
	Region   string          `json:"region"`
	Type     string          `json:"resource_type"`
	Reason   string          `json:"reason"`
	Change   string          `json:"change"`
}

func finding(c diff.Change) Finding {
	f := c.Finding
	reason := f.Reason
	if c.What == model.EventResolved { // what failed is over: why it is, is the news
		reason = f.Why
		if n := len(f.History); n > 0 && f.History[n-1].Note != f.Why {
			reason += ": " + f.History[n-1].Note
		}
	}
	return Finding{f.ID, f.Check, f.Severity, f.Resource.String(), f.Resource.Region, f.Kind, reason, string(c.What)}
}

// Of an audit makes alerts about it.
type Of struct {
	Organization model.OrganizationID
	Audit        model.Audit
	// Name is the account's, as people gave it to its connection, and Texts are those of
	// checks. Both are for letters to people, who get ids without them.
	Name  string
	Texts map[model.CheckID]check.Text
}

func (o Of) alert(kind, change, about, summary string, args ...any) Alert {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(o.Organization), string(o.Audit.Connection), string(o.Audit.ID), kind, change, about}, "\x00")))
	return Alert{
		Version: 1, ID: hex.EncodeToString(sum[:16]), Kind: kind, Change: change, At: o.Audit.StartedAt.UTC(),
		Organization: o.Organization, Project: o.Audit.Project, Connection: o.Audit.Connection,
		Account: o.Audit.AccountID, Audit: o.Audit.ID, CloudArq: o.Audit.CloudArq, Summary: model.Cut(fmt.Sprintf(summary, args...), 2*maxText), about: o,
	}
}

// try tells what happened in one of an audit's tries from the same in another.
func (o Of) try(about string) string {
	if o.Audit.Retries > 0 {
		return fmt.Sprintf("%s %d", about, o.Audit.Retries)
	}
	return about
}

// IsNews reports whether a turn in a finding's life is announced.
func IsNews(c diff.Change) bool {
	switch c.What {
	case model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind:
		return c.Finding.Cause == "" // what is folded is told with its cause
	case model.EventUnfolded:
		return true
	case model.EventChanged, model.EventSeen, model.EventFolded:
	}
	return false
}

// Changes announces changes that are news, one by one. What a first audit finds is
// none, and is left to Ended; more than Limit are for a Digest.
func (o Of) Changes(changes []diff.Change) []Alert {
	var all []Alert
	for _, c := range changes {
		f := finding(c)
		a := o.alert(KindFinding, string(c.What), o.try(string(f.ID)), "%s: %s on %s in account %s: %s", c.What, f.Check, f.Resource, o.Audit.AccountID, f.Reason)
		a.Finding = &f
		a.attributes = map[string]string{"severity": string(f.Severity), "check": string(f.Check)}
		all = append(all, a)
	}
	return all
}

// Digest announces so many changes in one scope at once, the gravest by name, those
// first.
func (o Of) Digest(scope string, total int, counts model.Changes, severities map[model.Severity]int, worst []diff.Change) Alert {
	a := o.alert(KindDigest, "many", o.try(scope), "%d findings of %s changed in account %s", total, scope, o.Audit.AccountID)
	a.Changes, a.Severity, a.Worst = &counts, severities, named(worst)
	if len(worst) > 0 {
		a.attributes = map[string]string{"severity": string(worst[0].Finding.Severity)}
	}
	return a
}

func named(changes []diff.Change) (all []Finding) {
	for _, c := range changes[:min(len(changes), WorstShown)] {
		all = append(all, finding(c))
	}
	return all
}

// Ended announces the end of an audit: its score and what changed, the checks
// that went blind, and the connection if AWS refused it. broken says that the
// connection worked before; worst are the gravest findings of a first audit, which
// nothing else announces.
func (o Of) Ended(broken bool, worst []diff.Change) []Alert {
	audit := o.Audit
	var all []Alert
	if broken {
		a := o.alert(KindConnection, "broken", "", "account %s can no longer be opened: %s", audit.AccountID, audit.Refused)
		a.Problems = []string{audit.Refused}
		all = append(all, a)
	}
	a := o.alert(KindAudit, "finished", o.try(string(audit.State)), "the audit of account %s ended: %s", audit.AccountID, audit.State)
	a.State, a.Problems, a.Reminder, a.Worst = audit.State, audit.Problems, Reminder(audit), named(worst)
	if s := audit.Summary; s != nil {
		a.Score, a.Changes, a.Severity = &s.Score, &s.Changes, s.Failed
		if c := s.Changes.Score; c != nil && len(c.Breaks) > 0 {
			a.Summary += "; its score is not to be compared with the one before: " + strings.Join(c.Breaks, "; ")
		}
		if blind := s.Changes.NewlyBlind; len(blind) > 0 {
			b := o.alert(KindBlind, "blind", "", "%d checks of account %s cannot be assessed any more", len(blind), audit.AccountID)
			b.Checks = blind
			for _, g := range s.Gaps {
				if g.Action != "" && slices.ContainsFunc(g.Checks, func(id model.CheckID) bool { return slices.Contains(blind, id) }) && !slices.Contains(b.Actions, g.Action) {
					b.Actions = append(b.Actions, g.Action)
				}
			}
			all = append(all, b)
		}
		if len(s.Changes.NewlyMissing) > 0 {
			all = append(all, o.drift(s.Changes.NewlyMissing))
		}
	}
	return append(all, a)
}

// drift announces actions that are missing and were not before, with what would
// end all that is missing.
func (o Of) drift(missing []string) Alert {
	r := drift.Of([]model.Audit{o.Audit})
	a := o.alert(KindDrift, "missing", "", "audits of account %s need %d IAM actions more than they are allowed: %s",
		o.Audit.AccountID, len(missing), strings.Join(missing, ", "))
	a.Actions, a.Patch, a.Published = missing, r.Patch, r.Published
	if r.Permissions != nil {
		a.Policy = r.Permissions.Version
	}
	for _, m := range r.Missing {
		if slices.Contains(missing, m.Action) {
			a.Checks = append(a.Checks, m.Checks...)
		}
	}
	slices.Sort(a.Checks)
	a.Checks = slices.Compact(a.Checks)
	return a
}

// Message is the alert as it is published. Its attributes are what subscribers
// filter by: kind, change, organization, project, account, severity, check. Its body is
// for programs, as docs/alert.schema.json has it; its text says the same to people.
// Whatever the alert holds, the message is one that every driver takes: what is too large
// is left out, and characters that no message may have are replaced.
func (a Alert) Message() (notify.Message, error) {
	a.bound()
	body, err := a.body()
	if err != nil {
		return notify.Message{}, fmt.Errorf("encode alert %s: %w", a.ID, err)
	}
	return notify.Message{ID: a.ID, Subject: a.subject(), Body: body, Text: a.text(), Attributes: a.attributed()}, nil
}

// attributed are the attributes of a message about the alert.
func (a Alert) attributed() map[string]string {
	set := map[string]string{}
	attributes := map[string]string{
		"kind": a.Kind, "change": a.Change, "organization": string(a.Organization), "account": a.Account, "project": a.Project,
	}
	maps.Copy(attributes, a.attributes)
	for name, value := range attributes {
		// An account may not be known yet.
		if value = strings.Join(strings.Fields(model.Cut(value, notify.MaxValue)), " "); value != "" {
			set[name] = value
		}
	}
	return set
}

// bound cuts every text that comes from outside, and is not cut yet.
func (a *Alert) bound() {
	a.about.Name = model.Cut(a.about.Name, maxText)
	a.Project, a.Account, a.Reminder = model.Cut(a.Project, maxText), model.Cut(a.Account, maxText), model.Cut(a.Reminder, 4*maxText)
	a.Problems, a.Actions = cutAll(a.Problems), cutAll(a.Actions)
	if a.Finding != nil {
		f := a.Finding.bound()
		a.Finding = &f
	}
	a.Worst = slices.Clone(a.Worst)
	for i, f := range a.Worst {
		a.Worst[i] = f.bound()
	}
}

func cutAll(texts []string) []string {
	cut := slices.Clone(texts)
	for i, text := range cut {
		cut[i] = model.Cut(text, maxText)
	}
	return cut
}

func (f Finding) bound() Finding {
	f.Resource, f.Region, f.Reason = model.Cut(f.Resource, maxText), model.Cut(f.Region, maxText), model.Cut(f.Reason, maxText)
	return f
}

// body is the alert as JSON, without as much as it takes to be a message.
func (a Alert) body() ([]byte, error) {
	leaveOut := []func(*Alert){
		func(a *Alert) { a.Worst = a.Worst[:min(3, len(a.Worst))] },
		func(a *Alert) { a.Problems = a.Problems[:min(3, len(a.Problems))] },
		func(a *Alert) { a.Patch = nil },
		func(a *Alert) {
			a.Checks, a.Actions = a.Checks[:min(100, len(a.Checks))], a.Actions[:min(100, len(a.Actions))]
		},
		func(a *Alert) { a.Changes = withoutLists(a.Changes) },
		func(a *Alert) { a.Worst, a.Problems, a.Checks, a.Actions, a.Reminder = nil, nil, nil, nil, "" },
		func(a *Alert) { a.Summary = model.Cut(a.Summary, maxText) },
	}
	for {
		data, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		// JSON's escapes leave in what XML, which SNS speaks, has no form for.
		data = []byte(model.Clean(string(data)))
		if len(data) <= notify.MaxBody || len(leaveOut) == 0 {
			return data, nil
		}
		leaveOut[0](&a)
		leaveOut, a.Truncated = leaveOut[1:], true
	}
}

func withoutLists(c *model.Changes) *model.Changes {
	if c == nil {
		return nil
	}
	return &model.Changes{New: c.New, Resolved: c.Resolved, Reopened: c.Reopened, Previous: c.Previous}
}
