package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// externalID is what the organization's External ID is now, and its ETag.
func (s *server) externalID() (api.ExternalIDOutput, string) {
	s.t.Helper()
	w := s.call(http.MethodGet, "/v1/external-id", nil, nil)
	if w.Code != http.StatusOK {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	return decode[api.ExternalIDOutput](s.t, w), w.Header().Get("ETag")
}

// rotate asks for a new External ID.
func (s *server) rotate(tag, key string) (status int, out api.ExternalIDOutput) {
	s.t.Helper()
	w := s.call(http.MethodPost, "/v1/external-id/rotate", header{"If-Match": tag, "Idempotency-Key": key}, nil)
	return w.Code, decode[api.ExternalIDOutput](s.t, w)
}

// opened notes that a connection's role was opened with the External ID of a generation.
func (s *server) opened(c api.ConnectionOutput, generation int) {
	s.t.Helper()
	err := s.store.For("default").ChangeVerified(s.t.Context(), c.ID, func(v *store.Verified) { v.Opened, v.ExternalID = c.RoleARN, generation })
	if err != nil {
		s.t.Fatal(err)
	}
}

// good are the External IDs that roles may ask for.
func (s *server) good() (all []string) {
	s.t.Helper()
	ids, err := s.ids.All(s.t.Context(), "default")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		all = append(all, id.ID.Reveal())
	}
	return all
}

// Two requests for a new External ID, as a client makes that lost the answer of the first,
// do not lock CloudArq out of the accounts whose roles ask for the old one.
func TestRotateTwice(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	s.opened(c, 1)
	first, tag := s.externalID()
	if first.ExternalID != c.ExternalID || first.Generation != 1 || first.Replacing || first.Waiting != 0 {
		t.Fatalf("at first %+v", first)
	}
	problem(t, "rotate without If-Match", s.call(http.MethodPost, "/v1/external-id/rotate", nil, nil), http.StatusPreconditionRequired, "precondition_required")
	problem(t, "rotate what it was not", s.call(http.MethodPost, "/v1/external-id/rotate", header{"If-Match": `"v99"`}, nil), http.StatusPreconditionFailed, "stale")

	status, second := s.rotate(tag, "k")
	if status != http.StatusOK || second.ExternalID == first.ExternalID || second.Generation != 2 || !second.Replacing || second.Since.IsZero() {
		t.Fatalf("rotated: status %d, %+v", status, second)
	}
	if status, again := s.rotate(tag, "k"); status != http.StatusOK || again.ExternalID != second.ExternalID {
		t.Errorf("the same request again: status %d, %+v", status, again)
	}
	problem(t, "the same without the key", s.call(http.MethodPost, "/v1/external-id/rotate", header{"If-Match": tag}, nil), http.StatusPreconditionFailed, "stale")
	_, tag = s.externalID()
	for _, key := range []string{"", "another"} {
		w := s.call(http.MethodPost, "/v1/external-id/rotate", header{"If-Match": tag, "Idempotency-Key": key}, nil)
		problem(t, "a second rotation", w, http.StatusConflict, "external_id_replacing")
		if p := decode[api.Problem](t, w); !strings.Contains(p.Detail, "External ID 2") || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, role) {
			t.Errorf("it says %+v", p)
		}
	}
	if good := s.good(); len(good) != 2 || good[0] != second.ExternalID || good[1] != first.ExternalID {
		t.Errorf("good are %d, want the second and the first", len(good))
	}
}

// The External ID before the newest is not retired before every connection was opened
// with the newest, and who was not is listed.
func TestRetire(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	old := s.connect(nil, map[string]any{"name": "old"})
	never := s.connect(nil, map[string]any{"name": "never"})
	none := s.connect(nil, map[string]any{"name": "none", "role_arn": ""})
	gone := s.connect(nil, map[string]any{"name": "gone"})
	s.opened(old, 1)
	s.opened(gone, 1)
	_, tag := s.externalID()
	retire := func() int {
		t.Helper()
		return s.call(http.MethodPost, "/v1/external-id/retire", nil, nil).Code
	}
	if got := retire(); got != http.StatusNoContent {
		t.Errorf("nothing to retire: status %d", got)
	}
	s.rotate(tag, "")
	path := "/v1/connections/" + string(gone.ID)
	if w := s.call(http.MethodDelete, path, header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}, nil); w.Code != http.StatusAccepted {
		t.Fatal(w.Body)
	}
	w := s.call(http.MethodPost, "/v1/external-id/retire", nil, nil)
	problem(t, "retire", w, http.StatusConflict, "external_id_in_use")
	if p := decode[api.Problem](t, w); len(p.Errors) != 3 || !strings.Contains(p.Detail, "3 connections") {
		t.Errorf("it names %+v", p)
	}
	state, _ := s.externalID()
	asks := map[string]int{}
	for _, c := range state.Connections {
		asks[c.Name] = c.Generation
	}
	if state.Waiting != 3 || len(asks) != 3 || asks["old"] != 1 || asks["never"] != 0 {
		t.Errorf("waiting are %+v", state)
	}

	s.opened(old, 2)
	s.opened(never, 2)
	if got := retire(); got != http.StatusConflict {
		t.Errorf("one has no role yet: status %d", got)
	}
	given := s.call(http.MethodPut, "/v1/connections/"+string(none.ID), header{"If-Match": s.call(http.MethodGet, "/v1/connections/"+string(none.ID), nil, nil).Header().Get("ETag")}, map[string]any{"role_arn": role, "name": none.Name})
	if given.Code != http.StatusOK || retire() != http.StatusConflict {
		t.Error("one was given a role that nobody opened, and the old External ID was retired")
	}
	s.opened(decode[api.ConnectionOutput](t, given), 2)
	for range 2 {
		if got := retire(); got != http.StatusNoContent {
			t.Errorf("all were opened with the new one: status %d", got)
		}
	}
	if state, _ := s.externalID(); state.Replacing || state.Generation != 2 || len(s.good()) != 1 {
		t.Errorf("retired: %+v", state)
	}
	for _, word := range []string{"was rotated", "were retired"} {
		if !strings.Contains(s.log.String(), word) {
			t.Errorf("the log does not say that the External ID %s", word)
		}
	}
}

// Many who wait make no endless answer.
func TestManyWait(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	records := s.store.For("default")
	for i := range 1200 {
		c := model.Connection{ID: model.ConnectionID(fmt.Sprintf("c%04d", i)), AccountID: "111122223333", RoleARN: role}
		if err := records.PutConnection(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	_, tag := s.externalID()
	if _, out := s.rotate(tag, ""); out.Waiting != 1200 || len(out.Connections) != 1000 {
		t.Errorf("%d wait, %d are shown", out.Waiting, len(out.Connections))
	}
	w := s.call(http.MethodPost, "/v1/external-id/retire", nil, nil)
	if p := decode[api.Problem](t, w); len(p.Errors) != 20 || !strings.Contains(p.Detail, "1200 connections") {
		t.Errorf("%d are named: %s", len(p.Errors), p.Detail)
	}
}
