// Package alert puts into words what CloudArq announces: findings that changed,
// audits that ended, connections that broke, checks that went blind, permissions
// that are missing. It is pure:
// the same change gives the same message with the same id, so that a subscriber
// who meets one twice can drop it. docs/alert.schema.json describes the messages.
package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
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

// Limit is how many findings of one service may change in an audit before they
// are announced together.
const Limit = 25

// worstShown is how many findings a digest names.
const worstShown = 10

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
	Summary      string               `json:"summary"` // one sentence

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

	attributes map[string]string
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
	return Finding{f.ID, f.Check, f.Severity, f.Resource.String(), f.Resource.Region, f.Kind, f.Reason, string(c.What)}
}

// Of an audit makes alerts about it.
type Of struct {
	Organization model.OrganizationID
	Audit        model.Audit
}

func (o Of) alert(kind, change, about, summary string, args ...any) Alert {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(o.Organization), string(o.Audit.Connection), string(o.Audit.ID), kind, change, about}, "\x00")))
	return Alert{
		Version: 1, ID: hex.EncodeToString(sum[:16]), Kind: kind, Change: change, At: o.Audit.StartedAt.UTC(),
		Organization: o.Organization, Project: o.Audit.Project, Connection: o.Audit.Connection,
		Account: o.Audit.AccountID, Audit: o.Audit.ID, Summary: fmt.Sprintf(summary, args...),
	}
}

// Changes announces what an audit changed in one scope. first says that the
// scope was never audited before: what exists already is no news, and is left
// to Finished.
func (o Of) Changes(scope string, first bool, changes []diff.Change) []Alert {
	var news []diff.Change
	for _, c := range changes {
		switch c.What {
		case model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind:
			news = append(news, c)
		case model.EventChanged, model.EventSeen:
		}
	}
	switch {
	case first || len(news) == 0:
		return nil
	case len(news) > Limit:
		return []Alert{o.digest(scope, news)}
	}
	var all []Alert
	for _, c := range news {
		f := finding(c)
		a := o.alert(KindFinding, string(c.What), string(f.ID), "%s: %s on %s in account %s: %s", c.What, f.Check, f.Resource, o.Audit.AccountID, f.Reason)
		a.Finding = &f
		a.attributes = map[string]string{"severity": string(f.Severity), "check": string(f.Check)}
		all = append(all, a)
	}
	return all
}

func (o Of) digest(scope string, news []diff.Change) Alert {
	a := o.alert(KindDigest, "many", scope, "%d findings of %s changed in account %s", len(news), scope, o.Audit.AccountID)
	a.Changes, a.Severity = &model.Changes{}, map[model.Severity]int{}
	worst := slices.Clone(news)
	slices.SortStableFunc(worst, func(x, y diff.Change) int {
		return cmp.Or(cmp.Compare(y.Finding.Severity.Weight(), x.Finding.Severity.Weight()), cmp.Compare(x.Finding.ID, y.Finding.ID))
	})
	for i, c := range worst {
		a.Severity[c.Finding.Severity]++
		switch c.What {
		case model.EventNew:
			a.Changes.New++
		case model.EventReopened:
			a.Changes.Reopened++
		case model.EventResolved:
			a.Changes.Resolved++
		case model.EventBlind, model.EventChanged, model.EventSeen:
		}
		if i < worstShown {
			a.Worst = append(a.Worst, finding(c))
		}
	}
	a.attributes = map[string]string{"severity": string(worst[0].Finding.Severity)}
	return a
}

// Ended announces the end of an audit: its score and what changed, the checks
// that went blind, and the connection if AWS refused it. broken says that the
// connection worked before.
func (o Of) Ended(broken bool) []Alert {
	audit := o.Audit
	var all []Alert
	if broken {
		a := o.alert(KindConnection, "broken", "", "account %s can no longer be opened: %s", audit.AccountID, audit.Refused)
		a.Problems = []string{audit.Refused}
		all = append(all, a)
	}
	about := string(audit.State)
	if audit.Retries > 0 { // each try ends once
		about = fmt.Sprintf("%s %d", about, audit.Retries)
	}
	a := o.alert(KindAudit, "finished", about, "the audit of account %s ended: %s", audit.AccountID, audit.State)
	a.State, a.Problems, a.Reminder = audit.State, audit.Problems, Reminder(audit)
	if s := audit.Summary; s != nil {
		a.Score, a.Changes, a.Severity = &s.Score, &s.Changes, s.Failed
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
// filter by: kind, change, organization, project, account, severity, check.
func (a Alert) Message() (notify.Message, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return notify.Message{}, fmt.Errorf("encode alert %s: %w", a.ID, err)
	}
	m := notify.Message{ID: a.ID, Subject: subject(a), Body: body, Attributes: map[string]string{
		"kind": a.Kind, "change": a.Change, "organization": string(a.Organization), "account": a.Account,
	}}
	if a.Project != "" {
		m.Attributes["project"] = a.Project
	}
	for name, value := range a.attributes {
		m.Attributes[name] = value
	}
	return m, nil
}

func subject(a Alert) string {
	text := "CloudArq: " + a.Kind + " " + a.Change + ", account " + a.Account
	if a.Finding != nil {
		text = fmt.Sprintf("CloudArq: %s %s finding, %s, account %s", a.Change, a.Finding.Severity, a.Finding.Check, a.Account)
	}
	return notify.Headline(text)
}
