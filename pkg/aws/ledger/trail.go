package ledger

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Event is one event of an account's CloudTrail, as far as it matters here.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Event struct {
	EventTime   time.Time `json:"eventTime"`
	EventSource string    `json:"eventSource"` // "kms.amazonaws.com"
	EventName   string    `json:"eventName"`
	AWSRegion   string    `json:"awsRegion"`
	RequestID   string    `json:"requestID"`
	ErrorCode   string    `json:"errorCode"`
	Identity    struct {
		ARN string `json:"arn"`
	} `json:"userIdentity"`
	Request struct {
		Session string `json:"roleSessionName"` // of AssumeRole
	} `json:"requestParameters"`
}

// ErrTrail says that a file is no export of CloudTrail.
var ErrTrail = errors.New("not a CloudTrail export: want a JSON document with Records")

// Trail yields the events of an export, a JSON document with Records as CloudTrail
// stores it, gzipped or not, one after the other: exports can be large.
func Trail(r io.Reader, visit func(Event) error) error {
	buffered := bufio.NewReader(r)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTrail, err)
		}
		buffered = bufio.NewReader(unzipped)
	}
	decoder := json.NewDecoder(buffered)
	for {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTrail, err)
		}
		if token != "Records" {
			continue
		}
		if open, err := decoder.Token(); err != nil || open != json.Delim('[') {
			return ErrTrail
		}
		for decoder.More() {
			var e Event
			if err := decoder.Decode(&e); err != nil {
				return fmt.Errorf("%w: %w", ErrTrail, err)
			}
			if err := visit(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// Reconciliation holds a ledger against a trail.
type Reconciliation struct {
	Calls       int     `json:"calls"`       // in the ledger, attempts included
	Events      int     `json:"events"`      // of the audit's session, in the trail
	Matched     int     `json:"matched"`     // events whose request id is in the ledger
	Unexplained []Event `json:"unexplained"` // events that no call explains
}

// Reconciler matches the events of one session with the calls that were noted.
type Reconciler struct {
	session string
	known   map[string]bool
	result  Reconciliation
}

// NewReconciler makes a reconciler for the session of a caller, the last part of
// its ARN, or for all that an ARN without a session did.
func NewReconciler(callerARN string) *Reconciler {
	session := callerARN
	if _, role, isRole := strings.Cut(callerARN, ":assumed-role/"); isRole {
		_, session, _ = strings.Cut(role, "/")
	}
	return &Reconciler{session: session, known: map[string]bool{}, result: Reconciliation{Unexplained: []Event{}}}
}

// Call notes a call of the ledger.
func (r *Reconciler) Call(e Entry) {
	for _, id := range append(e.EarlierIDs, e.RequestID) {
		if id != "" {
			r.known[id] = true
			r.result.Calls++
		}
	}
}

// Event takes an event of the trail. Those of other sessions are nobody's
// business here.
func (r *Reconciler) Event(e Event) {
	if e.Identity.ARN != r.session && !strings.HasSuffix(e.Identity.ARN, "/"+r.session) && e.Request.Session != r.session {
		return
	}
	r.result.Events++
	if r.known[e.RequestID] {
		r.result.Matched++
		return
	}
	r.result.Unexplained = append(r.result.Unexplained, e)
}

// Result is what came of it. All calls have to be noted before the first event.
func (r *Reconciler) Result() Reconciliation { return r.result }
