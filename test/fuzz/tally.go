package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// tally counts what was asked, and what was answered.
type tally struct {
	next   http.Handler
	routes []route

	mu       sync.Mutex
	statuses map[string]map[int]int // by operation; "" is what is none
	cases    int
	checks   map[string]int // how often each was made
	failures map[string]int // by the title of the check
	version  string         // of schemathesis
}

// route is an operation of the document.
type route struct {
	id, method string
	path       *regexp.Regexp
	literal    int // segments that are no parameter: the more of them, the better it fits
}

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func newTally(next http.Handler) (*tally, error) {
	w := httptest.NewRecorder()
	next.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		return nil, fmt.Errorf("the OpenAPI document: %w", err)
	}
	t := &tally{next: next, statuses: map[string]map[int]int{}, checks: map[string]int{}, failures: map[string]int{}}
	for path, methods := range document.Paths {
		for method, o := range methods {
			t.routes = append(t.routes, route{
				o.OperationID, strings.ToUpper(method), regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"),
				strings.Count(path, "/") - strings.Count(path, "{"),
			})
		}
	}
	slices.SortFunc(t.routes, func(a, b route) int { return b.literal - a.literal })
	return t, nil
}

// ServeHTTP implements http.Handler.
func (t *tally) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := ""
	for _, o := range t.routes {
		if o.method == r.Method && o.path.MatchString(r.URL.Path) {
			operation = o.id
			break
		}
	}
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	t.next.ServeHTTP(seen, r)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.statuses[operation] == nil {
		t.statuses[operation] = map[int]int{}
	}
	t.statuses[operation][seen.status]++
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (t *tally) total() (n int) {
	for _, statuses := range t.statuses {
		for _, count := range statuses {
			n += count
		}
	}
	return n
}

func (t *tally) failed() (n int) {
	for _, count := range t.failures {
		n += count
	}
	return n
}

// The reports of a run, in its directory.
const (
	summaryFile = "report.json"
	eventsFile  = "events.ndjson"
)

// read takes in what schemathesis says of its checks.
func (t *tally) read(runs string) error {
	events, err := os.Open(filepath.Join(runs, eventsFile))
	if err != nil {
		return err
	}
	defer func() { _ = events.Close() }()
	for decoder := json.NewDecoder(events); ; {
		var event struct {
			ScenarioFinished struct {
				Recorder struct {
					Checks map[string][]struct{ Name string }
				}
			}
		}
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", eventsFile, err)
		}
		for _, made := range event.ScenarioFinished.Recorder.Checks {
			for _, c := range made {
				t.checks[c.Name]++
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(runs, summaryFile))
	if err != nil {
		return err
	}
	var said struct {
		Version    string `json:"schemathesis_version"`
		Complete   bool
		Operations struct{ Selected, Tested int }
		TestCases  struct{ Generated int } `json:"test_cases"`
		Failures   []struct {
			Title string
			Count int
		}
		Errors []json.RawMessage
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	t.version, t.cases = said.Version, said.TestCases.Generated
	for _, f := range said.Failures {
		t.failures[f.Title] += f.Count
	}
	if left := said.Operations.Selected - said.Operations.Tested; left > 0 || !said.Complete {
		t.failures["operations that were not tried"] = max(left, 1)
	}
	if len(said.Errors) > 0 {
		t.failures["errors"] = len(said.Errors)
	}
	return nil
}
