package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
)

var at = time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)

func audit() model.Audit {
	return model.Audit{ID: "01M8ACCZV0SK53Z30THMJGM3YG", Connection: "c", AccountID: "111122223333", Project: "shop", State: model.AuditDone, StartedAt: at}
}

// every is one of each type of events that are no alerts.
func every() []event.Event {
	c := model.Connection{ID: "c", AccountID: "111122223333", Project: "shop", State: model.ConnectionDegraded, Reason: "kms:ListKeys is not allowed", Since: at, Version: 3}
	verification := audit()
	verification.Verification, verification.AccountID = true, ""
	job := model.Job{ID: "j", Kind: model.JobRekey, CreatedAt: at, Done: 12, Damaged: true}
	return []event.Event{
		event.OfAudit("acme", event.AuditStarted, verification, at), event.OfAudit("acme", event.AuditResumed, audit(), at),
		event.OfAudit("acme", event.AuditCancelled, audit(), at), event.OfAudit("acme", event.AuditSigned, audit(), at),
		event.OfConnection("acme", event.ConnectionCreated, c, at), event.OfConnection("acme", event.ConnectionUpdated, c, at),
		event.OfConnection("acme", event.ConnectionState, c, at), event.OfConnection("acme", event.ConnectionDeleted, c, at),
		event.Purged("acme", model.Receipt{Connection: "c", DeletedAt: at, Records: 7, Objects: 8}, at),
		event.OfConnection("acme", event.AccessKeyGiven, c, at),
		event.OfExternalID("acme", event.ExternalIDRotated, 2, at), event.OfExternalID("acme", event.ExternalIDRetired, 2, at),
		event.OfSettings("acme", model.Settings{AccessKeysAllowed: true, Version: 2}, at),
		event.OfJob("acme", event.JobStarted, job, at), event.OfJob("acme", event.JobEnded, job, at),
	}
}

// alerts are one of each type of alerts.
func alerts() []alert.Alert {
	of := alert.Of{Organization: "acme", Audit: audit()}
	of.Audit.Refused, of.Audit.Problems = "the role is gone", []string{"the role is gone"}
	of.Audit.Summary = &model.Summary{
		Score: model.Score{Version: model.ScoreVersion}, Changes: model.Changes{NewlyBlind: []model.CheckID{"a"}, NewlyMissing: []string{"kms:ListKeys"}},
		Gaps: []model.GapCount{{Reason: "denied", Action: "kms:ListKeys", Checks: []model.CheckID{"a"}}},
	}
	var changes []diff.Change
	for _, what := range []model.EventKind{model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind, model.EventUnfolded} {
		ref := model.Ref{ARN: "arn:aws:s3:::bucket", Account: "111122223333", Region: "eu-west-1"}
		changes = append(changes, diff.Change{What: what, Finding: model.Finding{
			ID: model.NewFindingID("s3-bucket-public", ref), Check: "s3-bucket-public", Severity: model.High, Kind: "AWS::S3::Bucket", Resource: ref,
		}})
	}
	return slices.Concat(of.Changes(changes), of.Ended(true, nil), []alert.Alert{of.Digest("s3", 30, model.Changes{New: 30}, map[model.Severity]int{model.High: 30}, changes)})
}

// schema is docs/events.schema.json, which refers to that of alerts by its id.
func schema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	c := jsonschema.NewCompiler()
	var events map[string]any
	for _, name := range []string{"alert", "events"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err == nil {
			err = c.AddResource("https://cloudarq.dev/schemas/"+name+".json", document)
		}
		if err != nil {
			t.Fatal(err)
		}
		events, _ = document.(map[string]any)
	}
	s, err := c.Compile("https://cloudarq.dev/schemas/events.json")
	if err != nil {
		t.Fatal(err)
	}
	return s, events
}

// TestSchema holds an event of each type to the published schema, and the schema to the
// types that there are.
func TestSchema(t *testing.T) {
	t.Parallel()
	s, document := schema(t)
	var all []bus.Event
	for _, e := range every() {
		on, err := e.OnBus()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, on)
	}
	for _, a := range alerts() {
		m, err := a.Message()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event.OfAlert(a, m.Body))
	}
	seen, ids := []string{}, map[string]string{}
	for _, e := range all {
		if err := bus.Check(e); err != nil {
			t.Error(err)
		}
		var detail struct{ ID, Kind, Change string }
		whole, err := json.Marshal(map[string]any{"source": "cloudarq", "detail-type": e.Type, "detail": json.RawMessage(e.Detail)})
		if err == nil {
			err = json.Unmarshal(e.Detail, &detail)
		}
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(whole)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v\n%s", e.Type, err, whole)
		}
		if detail.ID != e.ID || detail.Kind+" "+detail.Change != e.Type {
			t.Errorf("event %s of type %s has the detail %s", e.ID, e.Type, e.Detail)
		}
		if other, twice := ids[e.ID]; twice {
			t.Errorf("%s and %s have one id", other, e.Type)
		}
		ids[e.ID] = e.Type
		seen = append(seen, e.Type)
	}
	slices.Sort(seen)
	var types, published []string
	for _, each := range event.Types() {
		types = append(types, each.String())
	}
	properties, _ := document["properties"].(map[string]any)
	detailType, _ := properties["detail-type"].(map[string]any)
	enum, _ := detailType["enum"].([]any)
	for _, each := range enum {
		text, _ := each.(string)
		published = append(published, text)
	}
	slices.Sort(types)
	slices.Sort(published)
	if d := cmp.Diff(types, seen); d != "" {
		t.Errorf("types that there are, and that were made here (-want +got):\n%s", d)
	}
	if d := cmp.Diff(types, published); d != "" {
		t.Errorf("types that there are, and those of the schema (-want +got):\n%s", d)
	}
	manual, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range types {
		if !strings.Contains(string(manual), "`"+each+"`") {
			t.Errorf("docs/operations.md does not tell of %s", each)
		}
	}
}

// The same happening is the same event, and another one is another.
func TestIDs(t *testing.T) {
	t.Parallel()
	a, b := every(), every()
	for i := range a {
		if a[i].ID != b[i].ID {
			t.Errorf("%s has two ids", a[i].Summary)
		}
	}
	again := audit()
	again.Retries++
	one, two := event.OfAudit("acme", event.AuditResumed, audit(), at), event.OfAudit("acme", event.AuditResumed, again, at)
	other := event.OfAudit("other", event.AuditResumed, audit(), at)
	if one.ID == two.ID || one.ID == other.ID {
		t.Error("two events have one id")
	}
}

// TestEveryEventCanBeSent: whatever an account made of its texts, each event is one that
// a bus takes.
func TestEveryEventCanBeSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			piece := rapid.SampledFrom([]string{"\x00", "\xff", "\u202e", "\uffff", `"`, "x", "\n"}).Draw(t, label)
			return strings.Repeat(piece, rapid.IntRange(0, 100_000).Draw(t, label+" times"))
		}
		a := audit()
		a.Project, a.AccountID = text("project"), text("account")
		c := model.Connection{ID: "c", Project: a.Project, AccountID: a.AccountID, Reason: text("reason")}
		for _, e := range []event.Event{event.OfAudit("acme", event.AuditStarted, a, at), event.OfConnection("acme", event.ConnectionState, c, at)} {
			on, err := e.OnBus()
			if err == nil {
				err = bus.Check(on)
			}
			if err != nil || len(on.Detail) > 8<<10 {
				t.Fatalf("%d bytes: %.300v", len(on.Detail), err)
			}
		}
	})
}

type broken struct{ err error }

func (b broken) Publish(context.Context, ...bus.Event) error { return b.err }

func TestTell(t *testing.T) {
	t.Parallel()
	e := every()[0]
	if err := event.Tell(t.Context(), nil, e); err != nil {
		t.Errorf("nobody hears: %v", err)
	}
	gone := errors.New("the bus is gone")
	if err := event.Tell(t.Context(), broken{gone}, e); !errors.Is(err, gone) {
		t.Errorf("told a broken bus: %v", err)
	}
}
