package serverless_test

import (
	"net/http"
	"testing"
)

// TestAudit walks the whole way over HTTP: connect, audit, read.
func TestAudit(t *testing.T) {
	h := start(t, "walk", nil)
	c := h.connect(h.estate.Account("well-kept"), nil)
	a := h.begin(c, "first")
	a = h.wait(c, a.ID)
	if a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	var score struct {
		Summary struct {
			Score struct{ Value, Coverage float64 }
			Gaps  []struct{ Operation, Detail string }
		}
	}
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/score", nil, nil, &score); status != http.StatusOK {
		t.Fatalf("score: status %d", status)
	}
	if s := score.Summary.Score; s.Value < 95 || s.Coverage != 1 {
		t.Errorf("score %+v of a well-kept account, gaps %+v", s, score.Summary.Gaps)
	}
}

// TestWhatIsOpen: whoever brings nothing is let in where everybody is, is asked by the API
// for a token elsewhere, and does not get past the gateway where operators are.
func TestWhatIsOpen(t *testing.T) {
	h := start(t, "open", nil)
	for path, want := range map[string]int{
		"/v1/policy": http.StatusOK, "/v1/openapi.json": http.StatusOK, "/.well-known/security.txt": http.StatusOK,
		"/v1/connections": http.StatusUnauthorized, "/operator/v1/organizations": http.StatusForbidden,
	} {
		answer, err := http.Get(h.URL() + path) //nolint:noctx // a test's own
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s by nobody: status %d, want %d", path, answer.StatusCode, want)
		}
	}
}
