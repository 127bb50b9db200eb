package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limitedWithin begin the paths whose tries are counted when it is known who it is about, or
// that a session is needed for (TestGuessingOverHTTP, and the tests of pkg/access/people).
var limitedWithin = []string{"/v1/sign-in", "/v1/session", "/v1/me", "/v1/tokens", "/v1/recovery", "/v1/invitations/"}

// unlimited are the operations that change something and may be tried as often as the
// whole stage allows: each writes one record.
var unlimited = []string{
	"update-connection", "delete-connection", "put-settings", "cancel-audit",
	"update-member", "remove-member", "end-member-sessions", "create-project", "update-project", "remove-project", "attest-requirement", "approve-attestation", "withdraw-attestation",
	"put-sso", "delete-sso", "update-own-organization",
	"create-organization", "delete-organization", "suspend-organization", "resume-organization", "change-address", // operators
}

// TestLimits tries each operation too often, at two handlers on one table: together they
// let as many pass as the limit says, and tell what is left. Somebody else may go on, and
// so may all when the time is over.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.now = beginning()
	other := s.again()
	for _, o := range s.operations() {
		if !mutates(o.method) || slices.Contains(unlimited, o.ID) {
			continue
		}
		if o.ID == "create-connection" {
			continue // below: it takes long
		}
		if slices.ContainsFunc(limitedWithin, func(prefix string) bool { return strings.HasPrefix(o.path, prefix) }) {
			continue
		}
		path := strings.NewReplacer("{person}", "none", "{organization}", "of-"+o.ID, "{connection}", "none", "{audit}", "none").Replace(o.path)
		try := func(at *server, caller caller) *httptest.ResponseRecorder {
			return at.as(caller, o.method, path, header{"Idempotency-Key": "same", in: "of-" + o.ID}, nil)
		}
		caller := caller{person: o.ID, address: "192.0.2.1"}
		first := try(s, caller)
		most, err := strconv.Atoi(first.Header().Get("RateLimit-Limit"))
		if err != nil || most < 2 {
			t.Errorf("%s has no limit: %v", o.ID, first.Header())
			continue
		}
		for n := 2; n <= most; n++ {
			w := try([]*server{s, other}[n%2], caller)
			if w.Code == http.StatusTooManyRequests || w.Header().Get("RateLimit-Remaining") != strconv.Itoa(most-n) {
				t.Fatalf("%s, try %d of %d: status %d, %v", o.ID, n, most, w.Code, w.Header())
			}
		}
		for _, at := range []*server{s, other, s} {
			w := try(at, caller)
			problem(t, o.ID, w, http.StatusTooManyRequests, "rate_limited")
			if h := w.Header(); h.Get("Retry-After") != h.Get("RateLimit-Reset") || h.Get("RateLimit-Remaining") != "0" ||
				!strings.Contains(h.Get("RateLimit"), ";r=0;t="+h.Get("Retry-After")) || !strings.Contains(h.Get("RateLimit-Policy"), fmt.Sprintf(";q=%d;w=", most)) {
				t.Errorf("%s: headers %v", o.ID, h)
			}
			wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if err != nil || wait < 1 {
				t.Errorf("%s: Retry-After %q", o.ID, w.Header().Get("Retry-After"))
			}
		}
		now := s.now
		s.now = s.now.Add(24 * time.Hour)
		if w := try(s, caller); w.Code == http.StatusTooManyRequests {
			t.Errorf("%s: a day later it is still refused", o.ID)
		}
		s.now = now
	}
}

// TestLimitsOfConnections: connections are limited, too, and somebody else of another
// organization and network may go on.
func TestLimitsOfConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.now = beginning()
	for range 1000 {
		if w := s.as(anna, http.MethodPost, "/v1/connections", nil, "{"); w.Code == http.StatusTooManyRequests {
			t.Fatal(w.Body)
		}
	}
	problem(t, "one more", s.as(anna, http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": role}), http.StatusTooManyRequests, "rate_limited")
	bert := caller{person: "bert", address: "198.51.100.1"}
	problem(t, "another of the organization", s.as(bert, http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": role}), http.StatusTooManyRequests, "rate_limited")
	if w := s.as(bert, http.MethodPost, "/v1/connections", header{in: "other"}, map[string]any{"role_arn": role}); w.Code != http.StatusCreated {
		t.Errorf("another organization: status %d, %s", w.Code, w.Body)
	}
	if w := s.as(anna, http.MethodGet, "/v1/connections", nil, nil); w.Code != http.StatusOK {
		t.Errorf("reading is limited: %d", w.Code)
	}
}

// TestUncountedTries: what cannot be counted does not pass.
func TestUncountedTries(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.table.fails = "LIMIT"
	problem(t, "while nobody counts", s.call(http.MethodPost, rekeyPath, nil, nil), http.StatusInternalServerError, "internal")
}

// beginning is the second second of a day to come: windows begin with it, and the table,
// which goes by the real time, forgets nothing meanwhile.
func beginning() time.Time {
	return time.Now().UTC().Truncate(24 * time.Hour).Add(24*time.Hour + time.Second)
}
