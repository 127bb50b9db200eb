package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

type ofFramework struct {
	compliance.Standing
	Requirements []compliance.Asked
	Cursor       string
}

// stands are the states of the framework's requirements as somebody sees them.
func (s *server) stands(t *testing.T, h header, query string) string {
	t.Helper()
	w := s.call(http.MethodGet, "/v1/compliance/house-1?"+query, h, nil)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d, %s", query, w.Code, w.Body)
	}
	var all []string
	for _, r := range decode[ofFramework](t, w).Requirements {
		all = append(all, string(r.State))
	}
	return strings.Join(all, " ")
}

// TestCompliance: what accounts and people say decides, each of what it speaks of: nothing
// passes in all accounts that was not looked at in one, and an attestation speaks for the
// accounts that it is of, until it runs out.
func TestCompliance(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sees := func(what, query, want string) {
		t.Helper()
		if got := s.stands(t, nil, query); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	sees("of no account", "", "not_assessed not_assessed no_automated_check")
	shop := s.connect(nil, map[string]any{"name": "shop", "project": "shop"})
	bank := s.connect(nil, map[string]any{"name": "bank", "project": "bank"})
	of := func(c string) string { return "connection=" + c }
	s.counted(t, shop, model.Counts{Pass: 1})
	sees("one passes, the other was never audited", "", "not_assessed not_assessed no_automated_check")
	sees("the one that passes", of(string(shop.ID)), "passing partly_checked no_automated_check")
	s.counted(t, bank, model.Counts{Pass: 1, Fail: 1})
	sees("the other fails", "", "failing failing no_automated_check")
	sees("the project of the first", "project=shop", "passing partly_checked no_automated_check")
	sees("only some states", "state=failing,passing", "failing failing")

	until := s.now.AddDate(0, 1, 0)
	attest := func(requirement string, more map[string]any) compliance.Attestation {
		t.Helper()
		body := map[string]any{"why": "it was looked at", "until": until}
		for name, value := range more {
			body[name] = value
		}
		w := s.call(http.MethodPost, "/v1/compliance/house-1/requirements/"+requirement+"/attestations", nil, body)
		if w.Code != http.StatusCreated {
			t.Fatalf("attest %s: status %d, %s", requirement, w.Code, w.Body)
		}
		return decode[compliance.Attestation](t, w)
	}
	attest("2.1", map[string]any{"connection": shop.ID})
	sees("the roof of one", "", "failing failing no_automated_check")
	sees("the roof of that one", of(string(shop.ID)), "passing partly_checked passing")
	attest("2.1", map[string]any{"project": "bank", "covers": "manual"})
	sees("the roofs of both", "", "failing failing passing")
	whole := attest("1.2", nil)
	sees("against a failure", "", "failing failing passing")
	sees("for what is not looked at", of(string(shop.ID)), "passing passing passing")
	carl := header{"Authorization": "Bearer " + s.people.session(t, "default", "carl", model.Member{Role: model.RoleClient, Projects: []string{"shop"}}).Reveal()}
	if got := s.stands(t, carl, ""); got != "passing passing passing" {
		t.Errorf("a client of the one project sees %s", got)
	}
	if said := decode[struct{ Attestations []compliance.Attestation }](t, s.call(http.MethodGet, "/v1/attestations?framework=HOUSE-1", carl, nil)).Attestations; len(said) != 2 {
		t.Errorf("a client of one project sees what is said of others: %+v", said)
	}
	one := decode[compliance.WholeAsked](t, s.call(http.MethodGet, "/v1/compliance/house-1/requirements/1.2?"+of(string(bank.ID)), nil, nil))
	if one.Parts != 2 || one.Mapped != 1 || len(one.Detail) != 2 || one.Detail[0].State != requirement.PartFails || one.Detail[1].State != requirement.PartAttested || len(one.Attestations) != 1 || one.Attested != "requirement" {
		t.Errorf("requirement %+v", one)
	}
	w := s.call(http.MethodPost, "/v1/compliance/house-1/attestations/"+string(whole.ID)+"/withdrawal", nil, nil)
	if got := decode[compliance.Attestation](t, w); w.Code != http.StatusOK || got.State != model.AttestationWithdrawn || got.WithdrawnBy == nil {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	sees("when that is withdrawn", of(string(shop.ID)), "passing partly_checked passing")

	list := decode[struct{ Frameworks []compliance.Standing }](t, s.call(http.MethodGet, "/v1/compliance", nil, nil)).Frameworks
	if len(list) != 1 || list[0].States != (compliance.RequirementsIn{Failing: 2, Passing: 1}) || list[0].Accounts != 2 || list[0].Covers != (compliance.Coverage{Requirements: 3, Automatable: 2, Checked: 2, Whole: 1, Checks: 1}) {
		t.Errorf("%+v", list)
	}
	first := decode[ofFramework](t, s.call(http.MethodGet, "/v1/compliance/house-1?limit=2", nil, nil))
	rest := decode[ofFramework](t, s.call(http.MethodGet, "/v1/compliance/house-1?limit=2&cursor="+first.Cursor, nil, nil))
	if len(first.Requirements) != 2 || len(rest.Requirements) != 1 || rest.Cursor != "" || rest.Requirements[0].ID != "2.1" {
		t.Errorf("pages %+v, %+v", first, rest)
	}
	s.now = until
	sees("when all has run out", "", "failing failing no_automated_check")
}

// TestComplianceOfAudit: an audit says how the account stood in it.
func TestComplianceOfAudit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop"})
	s.counted(t, c, model.Counts{Pass: 1, Fail: 1})
	s.counted(t, c, model.Counts{Pass: 1})
	audits, err := s.store.For("default").AuditsOf(t.Context(), c.ID)
	if err != nil || len(audits) != 2 {
		t.Fatal(audits, err)
	}
	for i, want := range []string{"passing partly_checked no_automated_check", "failing failing no_automated_check"} {
		if got := s.stands(t, nil, "connection="+string(c.ID)+"&audit="+string(audits[i].ID)); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
	// Of an audit that left out regions nothing passes, and what fails fails.
	narrow, err := s.store.For("default").Audit(t.Context(), c.ID, audits[0].ID)
	if err == nil {
		narrow.Narrowed = true
		err = s.store.For("default").PutAudit(t.Context(), &narrow)
	}
	if got := s.stands(t, nil, "connection="+string(c.ID)+"&audit="+string(audits[0].ID)); err != nil || got != "not_assessed not_assessed no_automated_check" {
		t.Errorf("of a narrowed audit: %s (%v)", got, err)
	}
	problem(t, "what nothing looks at", s.call(http.MethodGet, "/v1/findings?check=house-1:2.1", nil, nil), http.StatusUnprocessableEntity, "invalid")
	for query, status := range map[string]int{
		"audit=" + string(audits[0].ID): http.StatusUnprocessableEntity, "connection=" + string(c.ID) + "&project=p": http.StatusUnprocessableEntity,
		"connection=" + string(c.ID) + "&audit=" + newULID(): http.StatusNotFound, "connection=nobody": http.StatusNotFound, "project=nobody": http.StatusNotFound, "state=fine": http.StatusUnprocessableEntity,
	} {
		if w := s.call(http.MethodGet, "/v1/compliance/house-1?"+query, nil, nil); w.Code != status {
			t.Errorf("%s: status %d, %s", query, w.Code, w.Body)
		}
	}
	for path, said := range map[string]string{"house-2": `did you mean \"house-1\"`, "house-1/requirements/1.3": `did you mean \"1.1\"`} {
		if w := s.call(http.MethodGet, "/v1/compliance/"+path, nil, nil); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), said) {
			t.Errorf("%s: status %d, %s", path, w.Code, w.Body)
		}
	}
}

// TestAttestationsAreApproved: where the organization wants it, nobody approves what they
// requested, and until then it is good for nothing.
func TestAttestationsAreApproved(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.summed(t, s.connect(nil, map[string]any{"name": "shop"}), 0)
	s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": false, "attestations_approved": true})
	berta := func() header {
		return header{"Authorization": "Bearer " + s.people.again(t, "default", "berta").Reveal()}
	}
	s.people.session(t, "default", "berta", model.Member{Role: model.RoleAdmin})
	path := "/v1/compliance/house-1/requirements/2.1/attestations"
	one := decode[compliance.Attestation](t, s.call(http.MethodPost, path, nil, map[string]any{"why": "it was looked at", "until": s.now.Add(time.Hour)}))
	if one.State != model.AttestationRequested {
		t.Errorf("it is %s", one.State)
	}
	if got := s.stands(t, nil, ""); !strings.HasSuffix(got, "no_automated_check") {
		t.Errorf("before it is approved: %s", got)
	}
	at := "/v1/compliance/house-1/attestations/" + string(one.ID) + "/approval"
	problem(t, "one's own", s.call(http.MethodPost, at, nil, nil), http.StatusConflict, "own_request")
	for range 2 {
		if w := s.call(http.MethodPost, at, berta(), nil); w.Code != http.StatusOK || decode[compliance.Attestation](t, w).State != model.AttestationGood {
			t.Errorf("status %d, %s", w.Code, w.Body)
		}
	}
	if got := s.stands(t, nil, ""); !strings.HasSuffix(got, " passing") {
		t.Errorf("when it is approved: %s", got)
	}
	for what, body := range map[string]map[string]any{
		"nothing said": {"why": "", "until": s.now.Add(time.Hour)}, "over already": {"why": "x", "until": s.now}, "for ever": {"why": "x", "until": s.now.AddDate(4, 0, 0)},
		"plain http": {"why": "x", "until": s.now.Add(time.Hour), "evidence": "http://example.com"}, "two lines": {"why": "x\ny", "until": s.now.Add(time.Hour)},
		"of two": {"why": "x", "until": s.now.Add(time.Hour), "project": "p", "connection": "c"},
	} {
		if w := s.call(http.MethodPost, path, nil, body); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, %s", what, w.Code, w.Body)
		}
	}
	s.now = s.now.Add(2 * time.Hour)
	problem(t, "one that has run out", s.call(http.MethodPost, at, berta(), nil), http.StatusConflict, "not_requested")
}
