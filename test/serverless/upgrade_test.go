package serverless_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// TestUpgrade puts what the last release wrote under this tree's functions: everything is
// read as it was said then, and goes on. At the end the last release could still read what
// this one wrote.
//
// That is told by the recording alone, and not by building the last release: a shallow
// clone does not have it, and that a reader of JSON which knows fields by name takes
// additions is a rule of the store. What it does not take is a field that is gone, or that
// has become of another type, and those are looked for.
func TestUpgrade(t *testing.T) {
	r := theRelease(t)
	houses := map[string]*house{}
	for _, n := range r.Tenants {
		houses[n.Organization] = start(t, n.Organization, func(o *lambdahost.Options) {
			o.Environ["ApiFunction"] = map[string]string{"PURGE_AFTER": "1ms"}
		})
	}
	first, second := houses["release-1"], houses["release-2"]
	first.load(r)
	checker := first.stack.Resources["CheckerRole"].ARN
	for i, id := range []string{"777777779011", "777777779021"} {
		c := r.Tenants[i].Connections[0]
		if err := trust(t.Context(), first.emulator.URL, releasedAccount(t, first.install, id).Account, checker, c.ExternalID); err != nil {
			t.Fatal(err)
		}
	}
	key := second.newUser(releasedAccount(t, first.install, "777777779031").ID, "scanner")
	for _, n := range r.Tenants {
		h := houses[n.Organization]
		var page struct{ Connections []connection }
		if status := h.call(http.MethodGet, "/v1/connections", nil, nil, &page); status != http.StatusOK || len(page.Connections) != len(n.Connections) {
			t.Errorf("%d connections are listed (status %d), want %d", len(page.Connections), status, len(n.Connections))
		}
		for _, c := range n.Connections {
			h.asRecorded(c, r.Recorded)
			if c.Kind != "role" {
				// It opens: AWS was asked with it, and does not know the key of another emulator.
				if a, now := h.verify(c.connection); a.State != "failed" || !strings.Contains(now.Reason, "access_key_refused") {
					t.Errorf("verification by the recorded key is %s: %v; connection %+v", a.State, a.Problems, now)
				}
				if status, answer := h.giveKey(c.connection, key); status != http.StatusOK {
					t.Fatalf("give another key: status %d, %s", status, answer)
				}
			}
			if a := h.wait(c.connection, h.begin(c.connection, "after the upgrade "+c.ID).ID); a.State != "done" {
				t.Errorf("the audit after the upgrade is %s: %v", a.State, a.Problems)
			}
			if d := cmp.Diff(c.Findings, h.list(c.connection)); d != "" {
				t.Errorf("findings after one audit more (-recorded +now):\n%s", d)
			}
		}
		if n := h.rekey(); n == 0 {
			t.Error("no data key was wrapped anew")
		}
	}
	first.replaceExternalID(r.Tenants[0].Connections[0].connection)

	now := release{}
	first.record(&now)
	rollsBack(t, r, now)
	if file := os.Getenv("CLOUDARQ_RECORD_UPGRADED"); file != "" { // to try with the functions of the last release by hand
		now.Recorded, now.Tenants = time.Now().UTC().Truncate(time.Second), r.Tenants
		now.write(t, file)
	}

	// A connection of the last release is deleted without a trace.
	gone := r.Tenants[1].Connections[1].connection
	if status, body, err := second.request(http.MethodDelete, "/v1/connections/"+gone.ID, map[string]string{"If-Match": second.tag(gone)}, nil); err != nil || status != http.StatusAccepted {
		t.Fatalf("delete: status %d, %s, %v", status, body, err)
	}
	if _, err := second.Fire(t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
		t.Fatal(err)
	}
	second.idle()
	if records, objects := second.traces(gone); records > 3 || objects != 0 { // the receipt, and requests that are remembered for a day
		t.Errorf("%d records and %d objects speak of the deleted connection", records, objects)
	}
	fmt.Printf("upgrade: %d records and %d objects of the last release are read and go on\n", len(r.Items), len(r.Objects))
}

// TestUpgradeOfTheState opens a data directory of the last release's command, and goes on
// with it. That of a release to come, whose file has another form, is refused
// (sqlite.ErrNewer has a test of its own).
func TestUpgradeOfTheState(t *testing.T) {
	r := theRelease(t)
	h := start(t, "none", nil)
	dir := t.TempDir()
	for name, content := range r.State {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := trust(t.Context(), h.emulator.URL, releasedAccount(t, h.install, stateAccount).Account, "arn:aws:iam::"+stack.Account+":root", r.StateID); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.StateFindings, h.stateFindings(t, dir)); d != "" || len(r.StateFindings) == 0 {
		t.Errorf("findings (-recorded +now):\n%s", d)
	}
	var audits []struct{ State string }
	if err := json.Unmarshal(h.onState(t, dir, "", "audit", "list", "-o", "json"), &audits); err != nil || len(audits) != 1 || audits[0].State != "done" {
		t.Errorf("recorded audits are %v: %v", audits, err)
	}
	for _, words := range [][]string{{"connections", "list"}, {"audit", "show"}, {"audit", "calls"}, {"resources", "list"}} {
		if out := h.onState(t, dir, "", words...); len(out) == 0 {
			t.Errorf("%v says nothing", words)
		}
	}
	if d := cmp.Diff(r.StateFindings, h.auditState(t, dir)); d != "" {
		t.Errorf("findings after one audit more (-recorded +now):\n%s", d)
	}
	if out := h.onState(t, dir, "", "admin", "rekey", "-o", "json"); !strings.Contains(string(out), `"dropped":1`) {
		t.Errorf("rekeyed: %s", out)
	}
	if file := os.Getenv("CLOUDARQ_KEEP_STATE"); file != "" { // to try with the command of the last release by hand
		if err := os.CopyFS(file, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
}

// asRecorded says that the API answers what it answered when a connection was recorded.
func (h *house) asRecorded(c releasedConnection, recorded time.Time) {
	h.t.Helper()
	if d := cmp.Diff(c.Findings, h.list(c.connection)); d != "" {
		h.t.Errorf("findings (-recorded +now):\n%s", d)
	}
	for _, id := range c.Audits {
		path := "/v1/connections/" + c.ID + "/audits/" + id
		var a audit
		if status := h.call(http.MethodGet, path, nil, nil, &a); status != http.StatusOK || a.State != "done" || len(a.Summary) == 0 {
			h.t.Errorf("recorded audit %s is %s (status %d)", id, a.State, status)
		}
		var calls struct{ Calls []json.RawMessage }
		if status := h.call(http.MethodGet, path+"/calls", nil, nil, &calls); status != http.StatusOK || len(calls.Calls) == 0 {
			h.t.Errorf("%d calls of the recorded audit %s (status %d)", len(calls.Calls), id, status)
		}
		var v struct{ Verdict string }
		if status := h.call(http.MethodGet, path+"/verification", nil, nil, &v); status != http.StatusOK ||
			v.Verdict != "whole" && v.Verdict != "before_digests" && (v.Verdict != "forgotten" || time.Since(recorded) < 399*24*time.Hour) {
			h.t.Errorf("recorded audit %s is %s (status %d)", id, v.Verdict, status)
		}
	}
}

// replaceExternalID replaces the External ID of the release by a new one, in stages.
func (h *house) replaceExternalID(c connection) {
	h.t.Helper()
	var next struct {
		ExternalID string `json:"external_id"`
	}
	if status := h.call(http.MethodPost, "/v1/external-id/rotate", map[string]string{"If-Match": h.tagOf("/v1/external-id")}, nil, &next); status != http.StatusOK {
		h.t.Fatalf("rotate: status %d", status)
	}
	account := small{}
	account.ID = "777777779011"
	if err := trust(h.t.Context(), h.emulator.URL, account.Account, h.stack.Resources["CheckerRole"].ARN, next.ExternalID); err != nil {
		h.t.Fatal(err)
	}
	if a := h.wait(c, h.begin(c, "with the new External ID").ID); a.State != "done" {
		h.t.Errorf("the audit with the new External ID is %s: %v", a.State, a.Problems)
	}
	if status := h.call(http.MethodPost, "/v1/external-id/retire", nil, nil, nil); status != http.StatusNoContent {
		h.t.Errorf("retire: status %d", status)
	}
}

// afterRollback is what the last release makes of what this one writes and it does not have:
// of each kind of record and each field that is new, and of each field that is not in all
// records any more. docs/operations.md, "Roll back", says what people have to know of it.
func afterRollback(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/rollback.tsv")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(data)) {
		path, becomes, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(path, "#") {
			continue
		}
		if becomes == "" || all[path] != "" {
			t.Errorf("testdata/rollback.tsv: %q", line)
		}
		all[path] = becomes
	}
	return all
}

// shape is what the records of a kind are made of, by path: of how many of them a field is
// part, and of which types of JSON it is.
type shape struct {
	records int
	fields  map[string]*field
}

type field struct {
	records int
	types   map[string]bool
}

// shapes are those of all kinds of records; of a kind whose records have states, those of
// each state, since a failed audit has no summary.
func shapes(t *testing.T, items []storedItem) map[string]*shape {
	t.Helper()
	expand, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer expand.Close()
	all := map[string]*shape{}
	for _, item := range items {
		kind := strings.Split(item.PK, "#")[2]
		body := item.Body
		if len(body) > 0 && body[0] != '{' && body[0] != '[' {
			if body, err = expand.DecodeAll(body, nil); err != nil {
				t.Fatalf("%s/%s: %v", item.PK, item.SK, err)
			}
		}
		var value any
		if len(body) > 0 {
			if err := json.Unmarshal(body, &value); err != nil {
				t.Fatalf("%s/%s: %v", item.PK, item.SK, err)
			}
		}
		if parts, ok := value.(map[string]any); ok {
			if state, ok := parts["state"].(string); ok {
				kind += " " + state
			}
		}
		if all[kind] == nil {
			all[kind] = &shape{fields: map[string]*field{}}
		}
		s, seen := all[kind], map[string]bool{}
		s.records++
		walk("", value, func(path, kind string) {
			f := s.fields[path]
			if f == nil {
				f = &field{types: map[string]bool{}}
				s.fields[path] = f
			}
			f.types[kind] = true
			if !seen[path] {
				seen[path] = true
				f.records++
			}
		})
	}
	return all
}

// walk gives the path and the type of every part of a value but null, which a reader takes
// for what is absent.
func walk(path string, value any, see func(path, kind string)) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		see(path, "object")
		for name, part := range v {
			walk(path+"."+name, part, see)
		}
	case []any:
		see(path, "array")
		for _, part := range v {
			walk(path+"[]", part, see)
		}
	case string:
		see(path, "string")
	case float64:
		see(path, "number")
	case bool:
		see(path, "bool")
	}
}

// rollsBack says what the last release could not read of what is there now.
func rollsBack(t *testing.T, last, now release) {
	t.Helper()
	before, after, known := shapes(t, last.Items), shapes(t, now.Items), afterRollback(t)
	said := map[string]bool{}
	want := func(path, what string) {
		if said[path] {
			return
		}
		said[path] = true
		if known[path] == "" {
			t.Errorf("%s %s: say in testdata/rollback.tsv what the last release makes of it", path, what)
		}
	}
	types := map[string]map[string]bool{} // of the fields that the last release wrote, whatever the record's state
	for kind, was := range before {
		for path, f := range was.fields {
			name := plainKind(kind) + path
			if types[name] == nil {
				types[name] = map[string]bool{}
			}
			maps.Copy(types[name], f.types)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(after)) {
		name, is := plainKind(kind), after[kind]
		if types[name] == nil {
			want(name, "is a new kind of record")
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(is.fields)) {
			old := types[name+path]
			if old == nil {
				if parent := path[:strings.LastIndexAny(path, ".[")]; types[name+parent] != nil { // said of the whole, once
					want(name+path, "is a new field")
				}
				continue
			}
			for typ := range is.fields[path].types {
				if !old[typ] {
					t.Errorf("%s%s was %v and is %s: the last release cannot read the record", name, path, slices.Sorted(maps.Keys(old)), typ)
				}
			}
		}
		if was := before[kind]; was != nil {
			gone := func(path string) bool {
				old, f := was.fields[path], is.fields[path]
				return old != nil && old.records == was.records && (f == nil || f.records < is.records)
			}
			for _, path := range slices.Sorted(maps.Keys(was.fields)) {
				if parent := path[:max(0, strings.LastIndexAny(path, ".["))]; gone(path) && !gone(parent) { // said of the whole, once
					want(name+path, "is not in all records any more")
				}
			}
		}
	}
	for path := range known {
		if !said[path] {
			t.Errorf("testdata/rollback.tsv has %s, which is nothing new", path)
		}
	}
}

// plainKind is the kind without the state of its records.
func plainKind(kind string) string {
	name, _, _ := strings.Cut(kind, " ")
	return name
}
