// Package event puts into JSON what CloudArq tells on an event bus: what people are
// alerted of (package alert), and everything else that changes what is audited, by whom,
// and what is kept. It is pure: the same happening gives the same event with the same
// id. docs/events.schema.json describes them.
package event

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
)

// Type is what an event is about, and what happened to it, in two words: the detail-type
// that rules look at.
type Type struct{ Kind, Change string }

func (t Type) String() string { return t.Kind + " " + t.Change }

// The types of events that are no alerts.
var (
	AuditStarted      = Type{"audit", "started"}
	AuditResumed      = Type{"audit", "resumed"} // what a partial one missed is done
	AuditCancelled    = Type{"audit", "cancelled"}
	AuditSigned       = Type{"audit", "signed"}
	ConnectionCreated = Type{"connection", "created"}
	ConnectionUpdated = Type{"connection", "updated"} // by a request
	ConnectionState   = Type{"connection", "state"}   // as an audit found it
	ConnectionDeleted = Type{"connection", "deleted"} // and hidden; what is kept of it is purged
	ConnectionPurged  = Type{"connection", "purged"}
	AccessKeyGiven    = Type{"access_key", "given"}
	ExternalIDRotated = Type{"external_id", "rotated"}
	ExternalIDRetired = Type{"external_id", "retired"}
	SettingsChanged   = Type{"settings", "changed"}
	JobStarted        = Type{"job", "started"}
	JobEnded          = Type{"job", "ended"}
)

// Types lists the types of all events.
func Types() []Type {
	all := []Type{
		AuditStarted, AuditResumed, AuditCancelled, AuditSigned,
		ConnectionCreated, ConnectionUpdated, ConnectionState, ConnectionDeleted, ConnectionPurged,
		AccessKeyGiven, ExternalIDRotated, ExternalIDRetired, SettingsChanged, JobStarted, JobEnded,
	}
	for _, a := range alert.Kinds() {
		all = append(all, Type{a.Kind, a.Change})
	}
	return all
}

// maxText bounds what an event repeats of a text from outside, in bytes.
const maxText = 512

// Event is the detail of an event that is no alert. It begins as an alert's does.
type Event struct {
	Version      int                  `json:"v"`
	ID           string               `json:"id"`
	Kind         string               `json:"kind"`
	Change       string               `json:"change"`
	At           time.Time            `json:"at"`
	Organization model.OrganizationID `json:"organization"`
	Project      string               `json:"project,omitempty"`
	Connection   model.ConnectionID   `json:"connection,omitempty"`
	Account      string               `json:"account,omitempty"`
	Audit        model.AuditID        `json:"audit,omitempty"`
	Summary      string               `json:"summary"` // one sentence

	Verification bool   `json:"verification,omitempty"` // of an audit that only opens the account
	State        string `json:"state,omitempty"`        // of the connection
	Reason       string `json:"reason,omitempty"`       // for the state
	Records      int    `json:"records,omitempty"`      // purged
	Objects      int    `json:"objects,omitempty"`      // purged
	Generation   int    `json:"generation,omitempty"`   // of the newest External ID
	Job          string `json:"job,omitempty"`
	Done         int    `json:"done,omitempty"`    // of a job
	Damaged      bool   `json:"damaged,omitempty"` // some of it could not be done
	// AccessKeysAllowed and SecondFactorRequired are there if the settings changed.
	AccessKeysAllowed    *bool `json:"access_keys_allowed,omitempty"`
	SecondFactorRequired *bool `json:"second_factor_required,omitempty"`
}

// of makes an event whose id follows from its type and what tells it from others of that.
func of(org model.OrganizationID, t Type, at time.Time, about []string, summary string, args ...any) Event {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{string(org), t.Kind, t.Change}, about...), "\x00")))
	return Event{
		Version: 1, ID: hex.EncodeToString(sum[:16]), Kind: t.Kind, Change: t.Change, At: at.UTC(), Organization: org,
		Summary: model.Cut(fmt.Sprintf(summary, args...), 2*maxText),
	}
}

// OfAudit tells that an audit was started, resumed, cancelled or signed.
func OfAudit(org model.OrganizationID, t Type, audit model.Audit, at time.Time) Event {
	what := "audit"
	if audit.Verification {
		what = "verification"
	}
	if t == AuditStarted { // once, whoever tells it how late
		audit.Retries = 0
	}
	about := []string{string(audit.Connection), string(audit.ID), strconv.Itoa(audit.Retries)}
	e := of(org, t, at, about, "the %s of account %s was %s", what, audit.AccountID, t.Change)
	e.Project, e.Connection, e.Account, e.Audit, e.Verification = audit.Project, audit.Connection, audit.AccountID, audit.ID, audit.Verification
	return e
}

// OfConnection tells that a connection was created, updated or deleted, or given an
// access key, or that an audit found it in another state than before. It is told as it
// was written.
func OfConnection(org model.OrganizationID, t Type, c model.Connection, at time.Time) Event {
	about := []string{string(c.ID)}
	summary := fmt.Sprintf("connection %s was %s", c.ID, t.Change)
	switch t {
	case ConnectionState:
		about = append(about, string(c.State), c.Since.UTC().Format(time.RFC3339Nano))
		summary = fmt.Sprintf("account %s is %s", c.AccountID, c.State)
	case AccessKeyGiven:
		about = append(about, strconv.FormatInt(c.Version, 10))
		summary = fmt.Sprintf("connection %s was given an access key", c.ID)
	case ConnectionUpdated:
		about = append(about, strconv.FormatInt(c.Version, 10))
	}
	e := of(org, t, at, about, "%s", summary)
	e.Project, e.Connection, e.Account, e.State, e.Reason = c.Project, c.ID, c.AccountID, string(c.State), c.Reason
	return e
}

// Purged tells that nothing is left of a deleted connection but its receipt.
func Purged(org model.OrganizationID, r model.Receipt, at time.Time) Event {
	e := of(org, ConnectionPurged, at, []string{string(r.Connection), r.DeletedAt.UTC().Format(time.RFC3339Nano)}, "connection %s is purged", r.Connection)
	e.Connection, e.Records, e.Objects = r.Connection, r.Records, r.Objects
	return e
}

// OfExternalID tells that there is a new External ID of a generation, or that those
// before it were retired. It never says what they are.
func OfExternalID(org model.OrganizationID, t Type, generation int, at time.Time) Event {
	summary := fmt.Sprintf("External ID %d replaces the one before", generation)
	if t == ExternalIDRetired {
		summary = fmt.Sprintf("the External IDs before %d were retired", generation)
	}
	e := of(org, t, at, []string{strconv.Itoa(generation)}, "%s", summary)
	e.Generation = generation
	return e
}

// OfSettings tells that an organization's settings were changed.
func OfSettings(org model.OrganizationID, s model.Settings, at time.Time) Event {
	e := of(org, SettingsChanged, at, []string{strconv.FormatInt(s.Version, 10)}, "the settings were changed")
	e.AccessKeysAllowed, e.SecondFactorRequired = &s.AccessKeysAllowed, &s.SecondFactorRequired
	return e
}

// OfJob tells that a job was started, or ended.
func OfJob(org model.OrganizationID, t Type, job model.Job, at time.Time) Event {
	e := of(org, t, at, []string{string(job.ID)}, "the job %s (%s) %s", job.ID, job.Kind, t.Change)
	e.Job, e.Done, e.Damaged = string(job.ID), job.Done, job.Damaged
	return e
}

// OnBus is the event as a bus takes it.
func (e Event) OnBus() (bus.Event, error) {
	e.Project, e.Account, e.Reason = model.Cut(e.Project, maxText), model.Cut(e.Account, maxText), model.Cut(e.Reason, maxText)
	detail, err := json.Marshal(e)
	if err != nil {
		return bus.Event{}, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return bus.Event{ID: e.ID, Type: Type{e.Kind, e.Change}.String(), At: e.At, Detail: detail}, nil
}

// Tell publishes an event where anybody hears of it; a nil publisher is nobody. What is
// told before it is written, or by who does it again after an error, is told at least
// once.
func Tell(ctx context.Context, to bus.Publisher, e Event) error {
	if to == nil {
		return nil
	}
	told, err := e.OnBus()
	if err == nil {
		err = to.Publish(ctx, told)
	}
	if err != nil {
		return fmt.Errorf("tell that %s: %w", e.Summary, err)
	}
	return nil
}

// OfAlert is an alert as a bus takes it: what programs get of it elsewhere, too.
func OfAlert(a alert.Alert, body []byte) bus.Event {
	return bus.Event{ID: a.ID, Type: Type{a.Kind, a.Change}.String(), At: a.At, Detail: slices.Clone(body)}
}
