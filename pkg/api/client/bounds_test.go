package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// answering is a client of a server that answers the requests by their number, from 1 on.
func answering(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (*client.Client, *atomic.Int32) {
	t.Helper()
	asked := &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(int(asked.Add(1)), w, r)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

// TestInFlight: what somebody works on, or has died in, is asked for again when it is time.
func TestInFlight(t *testing.T) {
	t.Parallel()
	d, asked := answering(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusConflict)
			return
		}
		_, _ = io.WriteString(w, `{"id":"`+r.Header.Get("Idempotency-Key")+`"}`)
	})
	var out struct{ ID string }
	_, err := d.Call(t.Context(), http.MethodPost, "/v1/audits", map[string]string{client.KeyHeader: "k"}, struct{}{}, &out)
	if asked.Load() != 2 || err != nil || out.ID != "k" {
		t.Errorf("asked %d times: %v, %+v", asked.Load(), err, out)
	}
}

// TestLimitsAreHeeded: a limit is waited for a few times, if it ends soon.
func TestLimitsAreHeeded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after string
		until int // the request that is answered
		asked int
		says  string
	}{
		"soon over":     {"1", 2, 2, ""},
		"for ever":      {"1", 100, 4, "429"},
		"for an hour":   {"3600", 100, 1, "429: Too Many Requests; not before 20"},
		"a hostile one": {"99999999999999999999", 100, 4, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, asked := answering(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n < c.until {
					w.Header().Set("Retry-After", c.after)
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				_, _ = io.WriteString(w, `{}`)
			})
			_, err := d.Connection(t.Context(), "c")
			if n := int(asked.Load()); n != c.asked || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("asked %d times: %v", n, err)
			}
		})
	}
	t.Run("nobody waits any more", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		d, _ := answering(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
			cancel()
		})
		if _, err := d.Connection(ctx, "c"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// TestLostAnswers: what may be asked again is, with the same key, and nothing else.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	keys := make(chan string, 100)
	lost := func(n int, w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		if n < 3 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"id":"made"}`)
	}
	d, asked := answering(t, lost)
	if a, _, err := d.StartAudit(t.Context(), "the-key", "c"); err != nil || a.ID != "made" || asked.Load() != 3 {
		t.Errorf("%+v, %v, asked %d times", a, err, asked.Load())
	}
	for range 3 {
		if key := <-keys; key != "the-key" {
			t.Errorf("key %q", key)
		}
	}
	if d, asked = answering(t, lost); true {
		if _, err := d.Connection(t.Context(), "c"); err != nil || asked.Load() != 3 {
			t.Errorf("%v, asked %d times", err, asked.Load())
		}
	}
	d, asked = answering(t, lost)
	if _, _, err := d.CancelAudit(t.Context(), model.Audit{ID: "a", Connection: "c"}); err == nil || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// TestHostileServers are left after bounded work.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(n int, w http.ResponseWriter, r *http.Request)
		says   string
		most   int32
	}{
		"an answer without an end": {func(_ int, w http.ResponseWriter, r *http.Request) {
			piece := strings.Repeat("x", 1<<20)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}, "larger than", 1},
		"redirects for ever": {func(n int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, fmt.Sprintf("/v1/%d", n), http.StatusFound)
		}, "302", 1},
		"the same page for ever": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"findings":[],"cursor":"again"}`)
		}, "no end", 2},
		"pages for ever": {func(n int, w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"findings":[],"cursor":"%d"}`, n)
		}, "no end", 2000},
		"a list that is none": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"findings":{"a":1}}`)
		}, "is not CloudArq's API", 1},
		"deep": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"findings":`+strings.Repeat("[", 1<<20))
		}, "is not CloudArq's API", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, asked := answering(t, c.answer)
			_, err := d.Findings(t.Context(), findings.Query{}, 0, func(shape.Finding) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.says) || asked.Load() > c.most {
				t.Errorf("%.300v; asked %d times", err, asked.Load())
			}
		})
	}
}

// TestRequestsEndWithTheirContext, whatever the server does.
func TestRequestsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	d, _ := answering(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Connection(ctx, "c"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestNewestIsOneRequest: an audit is large, and who asks for the newest is sent one.
func TestNewestIsOneRequest(t *testing.T) {
	t.Parallel()
	var limits []string
	d, _ := answering(t, func(n int, w http.ResponseWriter, r *http.Request) {
		limits = append(limits, r.URL.Query().Get("limit")+r.URL.Query().Get("cursor"))
		if n < 3 {
			_, _ = fmt.Fprintf(w, `{"audits":[{"id":"a%d"}],"cursor":"c%d"}`, n, n)
			return
		}
		_, _ = io.WriteString(w, `{"audits":[]}`)
	})
	if a, found, err := d.LatestAudit(t.Context(), "c"); err != nil || !found || a.ID != "a1" || len(limits) != 1 {
		t.Errorf("%+v, %t, %v, asked %q", a, found, err, limits)
	}
	for _, err := range d.Audits(t.Context(), "c") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"1", "1", "100c2"}; fmt.Sprint(limits) != fmt.Sprint(want) {
		t.Errorf("asked %q, want %q", limits, want)
	}
}

// TestChangesSayAll: a change leaves nothing out, since the API would refuse it of what the
// connection has.
func TestChangesSayAll(t *testing.T) {
	t.Parallel()
	var said map[string]json.RawMessage
	d, _ := answering(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{}`)
	})
	if _, err := d.Update(t.Context(), client.Connection{}, client.ConnectionInput{}); err != nil {
		t.Fatal(err)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[client.ConnectionInput]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if value, ok := said[name]; name != "" && (!ok || string(value) == "null") {
			t.Errorf("%s: %s", name, value)
		}
	}
}
