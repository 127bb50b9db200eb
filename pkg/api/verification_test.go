package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// ended makes an audit that ended and was signed, with evidence and a ledger.
func (s *server) ended() (path string, a model.Audit, calls, evidence model.Object) {
	s.t.Helper()
	c := s.connect(nil, map[string]any{})
	w := s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)})
	a = decode[api.AuditOutput](s.t, w).Record()
	org := s.store.For("default")
	p := &pipeline.Pipeline{Store: s.store, Evidence: s.shelf, Now: func() time.Time { return s.now }, Signer: connect.Signing{Store: s.store, Keys: s.keys.Keys, Now: time.Now}}
	var err error
	if calls, err = p.WriteLedger(s.t.Context(), pipeline.LedgerKey("default", a, "house"), []ledger.Entry{{Service: "house", Operation: "Look"}}); err != nil {
		s.t.Fatal(err)
	}
	if evidence, err = p.WriteLedger(s.t.Context(), pipeline.Key("evidence", "default", a, "house"), nil); err != nil {
		s.t.Fatal(err)
	}
	task := model.Task{ID: "house", Audit: a.ID, Service: "house", State: model.TaskIngested, Evidence: evidence.Key, Ledger: calls.Key, Objects: []model.Object{calls, evidence}}
	if err := org.PutTask(s.t.Context(), &task); err != nil {
		s.t.Fatal(err)
	}
	if a, err = org.Audit(s.t.Context(), a.Connection, a.ID); err != nil {
		s.t.Fatal(err)
	}
	a.State, a.EndedAt = model.AuditDone, s.now
	if err := org.PutAudit(s.t.Context(), &a); err != nil {
		s.t.Fatal(err)
	}
	if err := p.Sign(s.t.Context(), "default", a.Connection, a.ID); err != nil {
		s.t.Fatal(err)
	}
	return w.Header().Get("Location"), a, calls, evidence
}

func (s *server) verdict(path string) pipeline.Verification {
	s.t.Helper()
	w := s.call(http.MethodGet, path+"/verification", nil, nil)
	if w.Code != http.StatusOK {
		s.t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return decode[pipeline.Verification](s.t, w)
}

func TestVerification(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path, _, calls, evidence := s.ended()
	v := s.verdict(path)
	if v.Verdict != pipeline.VerdictWhole || v.Signature != pipeline.SignatureValid || v.PublicKey == "" || len(v.Objects) != 2 || len(v.Contents) != 1 {
		t.Errorf("%+v", v)
	}
	if a := decode[api.AuditOutput](t, s.call(http.MethodGet, path, nil, nil)); a.Statement == nil {
		t.Error("the audit does not show what was signed")
	}
	problem(t, "another organization's", s.call(http.MethodGet, path+"/verification", header{in: "other"}, nil), http.StatusNotFound, "not_found")

	// A ledger that was changed is not listed.
	if err := s.shelf.Put(t.Context(), calls.Key, bytes.NewReader(make([]byte, calls.Size))); err != nil {
		t.Fatal(err)
	}
	w := s.call(http.MethodGet, path+"/calls", nil, nil)
	problem(t, "calls that were changed", w, http.StatusInternalServerError, "altered")
	if !strings.Contains(w.Body.String(), "the ledger of house") || !strings.Contains(s.log.String(), calls.Key) {
		t.Errorf("%s and in the log %s", w.Body, s.log)
	}
	if v := s.verdict(path); v.Verdict != pipeline.VerdictAltered || len(v.Problems) != 1 {
		t.Errorf("%+v", v)
	}
	// Nor is the list without it taken for whole.
	if err := s.shelf.Delete(t.Context(), calls.Key); err != nil {
		t.Fatal(err)
	}
	problem(t, "calls that are gone", s.call(http.MethodGet, path+"/calls", nil, nil), http.StatusInternalServerError, "altered")
	if err := s.shelf.Delete(t.Context(), evidence.Key); err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(path); len(v.Problems) != 2 {
		t.Errorf("%+v", v)
	}
}
