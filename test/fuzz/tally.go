package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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
	t := &tally{next: next, statuses: map[string]map[int]int{}, failures: map[string]int{}}
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

// read takes in what schemathesis says of its checks.
func (t *tally) read(report string) error {
	text, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	var said struct {
		Version   string `json:"schemathesis_version"`
		Complete  bool
		TestCases struct{ Generated int } `json:"test_cases"`
		Failures  []struct {
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
	if len(said.Errors) > 0 {
		t.failures["errors"] = len(said.Errors)
	}
	return nil
}
