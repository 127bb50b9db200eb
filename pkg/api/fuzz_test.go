package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// FuzzJSON: a body that is read is JSON in which each name is there once, within the depth,
// with nothing that was not read; it says the same written again, and encoding/json reads
// the same of it.
func FuzzJSON(f *testing.F) {
	for _, body := range samples {
		f.Add([]byte(body))
	}
	for _, body := range []string{`{"name":"a","name":"b"}`, `{"NAME":"a"}`, `{"name":null}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", `{} {}`, strings.Repeat("[", 40), `{"schedule":{"jitter_minutes":1e999}}`, `{"regions":[["x"]]}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var read api.ConnectionInput
		if err := api.ReadJSON(body, &read); err != nil {
			return
		}
		if !utf8.Valid(body) || deeper(body) > api.Depth {
			t.Fatalf("%q is taken for a body", body)
		}
		var loose api.ConnectionInput
		if err := json.Unmarshal(body, &loose); err != nil || cmp.Diff(read, loose) != "" {
			t.Fatalf("%q says two things: %v\n%s", body, err, cmp.Diff(read, loose))
		}
		var again bytes.Buffer
		if err := api.WriteJSON(&again, read); err != nil {
			t.Fatal(err)
		}
		var second api.ConnectionInput
		if err := json.Unmarshal(again.Bytes(), &second); err != nil {
			t.Fatalf("%q is written as %s: %v", body, &again, err)
		}
		var any1, any2 any
		if api.ReadJSON(body, &any1) != nil || json.Unmarshal(body, &any2) != nil || cmp.Diff(any1, any2) != "" {
			t.Fatalf("%q is validated as something else", body)
		}
	})
}

// deeper is how many objects and lists are in each other.
func deeper(body []byte) (most int) {
	depth := 0
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			most = max(most, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// FuzzIfMatch: a change is let through by the tag of the state that it changes, alone or in a
// list, and by no other text.
func FuzzIfMatch(f *testing.F) {
	for _, tag := range []string{`"v1"`, ` "v1" `, `W/"v1"`, `*`, `"v1", "v2"`, `v1`, `"v01"`, `"v1.abc"`, `"v1.`, "", " ", "\x00"} {
		f.Add(tag, int64(1))
	}
	f.Fuzz(func(t *testing.T, tag string, version int64) {
		err := api.Matches(t.Context(), tag, version, "it")
		let := false
		for one := range strings.SplitSeq(tag, ",") {
			state, _, shown := strings.Cut(strings.TrimSpace(one), ".") // how it was shown is no part of what is changed
			if shown {
				state += `"`
			}
			let = let || state == `"v`+strconv.FormatInt(version, 10)+`"`
		}
		if (err == nil) != let {
			t.Fatalf("%q of version %d: %v", tag, version, err)
		}
		var p *api.Problem
		if err != nil && (!errors.As(err, &p) || p.Status != http.StatusPreconditionFailed && p.Status != http.StatusPreconditionRequired) {
			t.Fatal(err)
		}
		if api.Matches(t.Context(), api.ETag(version), version, "it") != nil || api.Matches(t.Context(), api.ETag(version), version+1, "it") == nil {
			t.Fatalf("the tag of version %d", version)
		}
	})
}

// FuzzCallsCursor: a cursor that is read is a place among the calls.
func FuzzCallsCursor(f *testing.F) {
	all := []pipeline.Ledger{{Task: "connect", Attempt: "a"}, {Task: "s3", Attempt: "b"}}
	for _, c := range []string{"s3.b\x000", "s3.b\x0012", "s3.b\x00-1", "s3.b", "", "\x00", "s3.c\x001", "s3.b\x0099999999999999999999"} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(c)))
	}
	f.Add("=")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("s3.b\x000")) + "\n")
	f.Fuzz(func(t *testing.T, cursor string) {
		at, skip, err := api.CallsCursor(cursor, all)
		switch {
		case err != nil && !errors.Is(err, table.ErrCursor):
			t.Fatal(err)
		case err == nil && cursor != "" && strings.ContainsAny(cursor, "\r\n="):
			t.Fatalf("%q is taken for a cursor", cursor)
		case err == nil && (at < 0 || at >= len(all) || skip < 0):
			t.Fatalf("%q leads to %d, %d", cursor, at, skip)
		}
	})
}

// FuzzCredentials: no text in the place of a credential lets anybody in, and each is
// answered with what is missing.
func FuzzCredentials(f *testing.F) {
	s := newServer(f)
	good := s.people.token(f, "default", anna.person).Reveal()
	for _, text := range []string{"", "Bearer ", "Bearer x", "bearer " + good[:len(good)-1], "Basic eDp5", "Bearer " + good + "x", "Bearer  " + good, "AWS4-HMAC-SHA256 Credential=x", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30."} {
		f.Add(text, "__Host-caq="+text, "x")
	}
	f.Add("", `__Host-caq="`+good+`"; __Host-caq=x`, "")
	f.Add("", "__Host-caq; =; ,;;", "")
	f.Fuzz(func(t *testing.T, authorization, cookie, csrf string) {
		s.wrong = t.Errorf
		if strings.Contains(authorization, good) || strings.Contains(cookie, good) {
			return
		}
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/v1/session", nil)
			r.Header["Authorization"], r.Header["Cookie"], r.Header["Cloudarq-Csrf"] = []string{authorization}, []string{cookie}, []string{csrf}
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			switch w.Code {
			case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestHeaderFieldsTooLarge:
			default:
				t.Fatalf("%s: status %d, %s", method, w.Code, w.Body)
			}
		}
	})
}

// FuzzIdempotencyKey: a key makes one thing, however often a request is repeated, and none
// of another request; or the request is refused.
func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{"k", "", " ", "a#b", "a/b", "é", "\x00", "\xff", strings.Repeat("k", 255), strings.Repeat("k", 256), "~"} {
		f.Add(key)
	}
	s := newServer(f)
	start, tried := s.now, 0
	f.Fuzz(func(t *testing.T, key string) {
		tried++
		s.wrong, s.now = t.Errorf, start.AddDate(0, 0, tried%1_000_000) // no limit holds
		do := func() (int, model.JobID) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, rekeyPath, nil)
			r = s.from(r, anna, "default")
			r.Header["Idempotency-Key"] = []string{key}
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			return w.Code, decode[model.Job](t, w).ID
		}
		first, id := do()
		second, again := do()
		switch {
		case first != second:
			t.Fatalf("%q: status %d, and then %d", key, first, second)
		case first == http.StatusAccepted && (key != "") != (id == again):
			t.Fatalf("%q made %s, and then %s", key, id, again)
		case first != http.StatusAccepted && first != http.StatusBadRequest && first != http.StatusUnprocessableEntity && first != http.StatusRequestHeaderFieldsTooLarge:
			t.Fatalf("%q: status %d", key, first)
		}
	})
}
