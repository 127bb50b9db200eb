package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// audited makes an audit whose tasks made so many calls, by service; those with
// none are not done.
func (s *server) audited(calls map[string]int) (path string, all []ledger.Entry) {
	s.t.Helper()
	c := s.connect(nil, map[string]any{})
	w := s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)})
	a := decode[api.AuditOutput](s.t, w)
	org, writer := s.store.For("default"), &pipeline.Pipeline{Evidence: s.shelf}
	for _, service := range []string{"connect", "garden", "house", "kitchen"} {
		task := model.Task{ID: model.TaskID(service), Audit: a.ID, Service: service, State: model.TaskOpen}
		if n := calls[service]; n > 0 {
			var made []ledger.Entry
			for i := range n {
				made = append(made, ledger.Entry{Service: service, Operation: "Look", RequestID: fmt.Sprintf("%s-%d", service, i), Attempts: 1, Outcome: "ok"})
			}
			task.Ledger, task.State = pipeline.Key("ledger", "default", a.Record(), service), model.TaskCollected
			if _, err := writer.WriteLedger(s.t.Context(), task.Ledger, made); err != nil {
				s.t.Fatal(err)
			}
			all = append(all, made...)
		}
		if service != "connect" {
			if err := org.PutTasks(s.t.Context(), []model.Task{task}); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return w.Header().Get("Location") + "/calls", all
}

type callsPage struct {
	Calls  []ledger.Entry
	Cursor string
}

// TestCalls: all calls of an audit, each once, on pages of any size, as an object
// or as lines.
func TestCalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path, want := s.audited(map[string]int{"connect": 3, "house": 5, "kitchen": 2})
	for _, limit := range []int{1, 2, 3, 4, 5, 8, 10, 11, 5000} {
		for _, accept := range []string{"", "application/json", "*/*", "application/x-ndjson"} {
			var got []ledger.Entry
			pages := 0
			for cursor := ""; pages == 0 || cursor != ""; pages++ {
				w := s.call(http.MethodGet, fmt.Sprintf("%s?limit=%d&cursor=%s", path, limit, cursor), header{"Accept": accept}, nil)
				if w.Code != http.StatusOK || pages > len(want) {
					t.Fatalf("page %d: status %d, %s", pages, w.Code, w.Body)
				}
				var page callsPage
				if accept == "application/x-ndjson" {
					page.Cursor = w.Header().Get("CloudArq-Cursor")
					for line := range strings.Lines(w.Body.String()) {
						var e ledger.Entry
						if err := json.Unmarshal([]byte(line), &e); err != nil {
							t.Fatalf("%v in %s", err, line)
						}
						page.Calls = append(page.Calls, e)
					}
				} else {
					page = decode[callsPage](t, w)
				}
				if len(page.Calls) > limit || len(page.Calls) == 0 {
					t.Fatalf("%d calls on a page of %d", len(page.Calls), limit)
				}
				got, cursor = append(got, page.Calls...), page.Cursor
			}
			if d := cmp.Diff(want, got); d != "" || pages != (len(want)+limit-1)/limit {
				t.Errorf("%d a page, %q: %d pages (-want +got):\n%s", limit, accept, pages, d)
			}
		}
	}
}

func TestCallsOfOneService(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path, _ := s.audited(map[string]int{"connect": 3, "house": 5})
	for service, want := range map[string]int{"house": 5, "connect": 3, "garden": 0} {
		w := s.call(http.MethodGet, path+"?service="+service, nil, nil)
		page := decode[callsPage](t, w)
		if w.Code != http.StatusOK || page.Calls == nil || len(page.Calls) != want || page.Cursor != "" {
			t.Errorf("%s: status %d, %d calls, want %d", service, w.Code, len(page.Calls), want)
		}
	}
	first := decode[callsPage](t, s.call(http.MethodGet, path+"?limit=1", nil, nil)).Cursor
	for what, query := range map[string]string{
		"a service that was not audited": "?service=cellar", "a cursor of our own making": "?cursor=abc", "another list's cursor": "?service=house&cursor=" + first,
		"no calls a page": "?limit=0", "too many a page": "?limit=5001",
	} {
		problem(t, what, s.call(http.MethodGet, path+query, nil, nil), http.StatusUnprocessableEntity, "invalid")
	}
	w := s.call(http.MethodPost, "/v1/audits", header{"Content-Type": "application/x-ndjson"}, map[string]string{"connection": "x"})
	problem(t, "a request in lines", w, http.StatusUnsupportedMediaType, "unsupported_media_type")
}

// TestCallsBeforeThereAreAny: an audit that has only begun made none yet, and a
// damaged ledger is not taken for an empty one.
func TestCallsBeforeThereAreAny(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path, _ := s.audited(nil)
	if page := decode[callsPage](t, s.call(http.MethodGet, path, nil, nil)); page.Calls == nil || len(page.Calls) > 0 {
		t.Errorf("calls %+v, want an empty list", page)
	}
	path, _ = s.audited(map[string]int{"house": 5})
	for info, err := range s.shelf.List(t.Context(), "ledger/") {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.shelf.Put(t.Context(), info.Key, strings.NewReader("damaged")); err != nil {
			t.Fatal(err)
		}
	}
	problem(t, "a damaged ledger", s.call(http.MethodGet, path, nil, nil), http.StatusInternalServerError, "internal")
}

// TestCallsOfEveryAttempt: what attempts did that failed is listed before what the
// last one did, and pages go on within an attempt.
func TestCallsOfEveryAttempt(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path, before := s.audited(map[string]int{"connect": 2, "kitchen": 2})
	id := strings.Split(path, "/")
	a, err := s.store.For("default").Audit(t.Context(), model.ConnectionID(id[3]), model.AuditID(id[5]))
	if err != nil {
		t.Fatal(err)
	}
	writer := &pipeline.Pipeline{Evidence: s.shelf}
	var failed []ledger.Entry
	for attempt := range 2 {
		made := []ledger.Entry{{Operation: fmt.Sprint("Look", attempt)}, {Operation: fmt.Sprint("Look again", attempt)}}
		if _, err := writer.WriteLedger(t.Context(), pipeline.LedgerKey("default", a, "house"), made); err != nil {
			t.Fatal(err)
		}
		failed = append(failed, made...)
		time.Sleep(2 * time.Millisecond) // attempts are in the order of their milliseconds
	}
	want := slices.Concat(before[:2], failed, before[2:])
	for _, limit := range []int{1, 3, 100} {
		var got []ledger.Entry
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			page := decode[callsPage](t, s.call(http.MethodGet, fmt.Sprintf("%s?limit=%d&cursor=%s", path, limit, cursor), nil, nil))
			got, cursor = append(got, page.Calls...), page.Cursor
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d a page (-want +got):\n%s", limit, d)
		}
	}
	if page := decode[callsPage](t, s.call(http.MethodGet, path+"?service=house", nil, nil)); len(page.Calls) != 4 {
		t.Errorf("%d calls of the service, want 4", len(page.Calls))
	}
}
