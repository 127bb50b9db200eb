package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	blobs "github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type door struct {
	model.Resource
	Locked fact.Of[bool] `json:"locked"`
}

func (door) Kind() string { return "Test::House::Door" }

const texts = `door-locked: {title: Doors are locked, pillar: security, risk: Thieves., remediation: {console: Lock it.},
  references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}`

// server is the API on real drivers, without a network.
type server struct {
	t       testing.TB
	handler http.Handler
	store   *store.Store
	keys    connect.AccessKeys
	worker  connect.Worker
	broker  *memory.Broker
	jobs    *memory.Queue
	results *memory.Queue
	ingest  queue.Handler // of results
	lists   *index.Keepers
	ids     connect.ExternalIDs
	tasks   *away
	table   *lossy
	shelf   *shelf
	events  *heard
	log     *bytes.Buffer
	now     time.Time
	people  *crowd
	again   func() *server // another handler on the same records
	caps    func(api.Caps)
	origins func(...api.Origin)
	at      func(publicURL string)           // which passkeys are good for
	wrong   func(format string, args ...any) // is told of answers that the document does not have
}

var locks = check.NewNumber("locks", "locks", "How many locks a door has at least", 1, 1, 9)

// house is a catalogue of one check, and a framework that asks for it and for another.
func house() (*check.Catalog, error) {
	c, err := check.NewCatalog(check.Service{
		Name: "house", Texts: []byte(texts), Kinds: []check.Kind{check.KindOf[door]()},
		Rules: []check.Rule{check.For("door-locked", model.High, func(e *check.Evidence, d door) check.Verdict {
			return check.Must(check.Read(e, d.Locked), "locked", "open")
		}).With(locks)},
	})
	if err != nil {
		return nil, err
	}
	return c.WithFrameworks(func() ([]framework.Framework, error) {
		f, err := framework.Parse([]byte(houses))
		return []framework.Framework{f}, err
	}), nil
}

const houses = "---\nid: house-1\ntitle: Good houses\nversion: '1'\npublisher: The guild\nsource: https://example.com\nmapping: ours\ndate: 2026-11-30\n---\n" +
	"1.1\tDoors\tdoor-locked\n1.2\tDoors\tdoor-locked prowler:door_painted\n2.1\tRoofs\t-\n"

func newServer(t testing.TB) *server {
	t.Helper()
	file, err := sqlite.Open(t.Context(), t.TempDir()+"/state.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	catalog, err := house()
	if err != nil {
		t.Fatal(err)
	}
	records := &lossy{Table: file}
	s := &server{
		t: t, store: store.New(records, nil), table: records, tasks: &away{Queue: memory.New(memory.Options{}).Queue("tasks")}, shelf: &shelf{Store: blobs.New()},
		log: &bytes.Buffer{}, events: &heard{}, now: time.Now().UTC().Truncate(time.Second),
	}
	clock := func() time.Time { return s.now }
	keys, err := keyring.Open(t.TempDir()+"/keyring", keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.ids = connect.ExternalIDs{Store: s.store, Keys: keys, Now: clock}
	s.keys = connect.AccessKeys{Store: s.store, Keys: keys, Now: clock}
	s.broker = memory.New(memory.Options{})
	s.jobs = s.broker.Queue("jobs")
	s.worker = connect.Worker{Jobs: connect.Jobs{Store: s.store, Queue: s.jobs, Now: clock}, Rekeying: connect.Rekeying{Store: s.store, Keys: keys}, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	sessions := people.Sessions{Store: s.store, Tokens: people.NewAccessTokens(s.store, keys, "https://cloudarq.example.com", clock, slog.New(slog.NewTextHandler(s.log, nil))), Now: clock}
	s.people = &crowd{store: s.store, sessions: sessions, now: clock, tokens: map[string]secret.String{}}
	s.people.token(t, "default", "operator")
	a := &api.API{
		Operators: true,
		People:    people.Service{Keys: keys, Passwords: people.NewHasher(people.Params{Memory: 64, Passes: 1, Lanes: 1})},
		Sessions:  sessions,
		SSO:       sso.SignIn{Client: sso.NewClient(sso.Reach{PrivateHosts: []string{"127.0.0.1"}, Roots: oidctest.Roots(t)})},
		Store:     s.store, Catalog: catalog, ExternalIDs: s.ids, AccessKeys: s.keys, Jobs: connect.Jobs{Store: s.store, Queue: s.jobs, Now: clock}, Now: clock, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Pipeline:  &pipeline.Pipeline{Catalog: catalog, Store: s.store, Tasks: s.tasks, Now: clock, Bound: time.Hour, Events: s.events},
		Events:    s.events,
		Templates: s.shelf, Evidence: s.shelf, Index: &index.Keepers{Store: s.store, Blobs: s.shelf, Now: clock},
		CheckerRole: "arn:aws:iam::999999999999:role/checker", AuditRole: "TheirAuditRole", Region: "eu-west-1", Version: "test",
	}
	s.results, s.lists = s.broker.Queue("results"), a.Index
	a.Pipeline.Results, a.Pipeline.Index = s.results, a.Index
	s.worker.Indexing, s.ingest = a.Pipeline, a.Pipeline.Ingest
	s.wrong = t.Errorf
	s.handler = s.documented(a.Handler())
	s.caps = func(c api.Caps) {
		a.Caps = c
		s.handler = s.documented(a.Handler())
	}
	s.origins = func(o ...api.Origin) {
		a.Origins = o
		s.handler = s.documented(a.Handler())
	}
	s.at = func(publicURL string) {
		a.People.Relying = people.RelyingAt(publicURL)
		s.handler = s.documented(a.Handler())
	}
	s.again = func() *server {
		other := *s
		other.handler = s.documented(a.Handler())
		return &other
	}
	return s
}

type header map[string]string

// caller is who makes a request: an administrator of the organization that the request is
// in, by an API token, or an operator of what is under /operator.
type caller struct {
	person  string
	address string
	nobody  bool
}

var nobody = caller{nobody: true}

// in says, among the headers of a test's request, whose administrator makes it.
const in = "In"

const (
	rekeyPath = "/operator/v1/organizations/default/rekey"

	reindexPath = "/operator/v1/organizations/default/reindex"
	jobsPath    = "/operator/v1/organizations/default/jobs/"
)

// call makes a request and returns the answer.
// found writes a finding, as an audit does.
func (s *server) found(org model.OrganizationID, scope string, f model.Finding) {
	s.t.Helper()
	o := s.store.For(org)
	record, err := o.Scope(s.t.Context(), f.Connection, scope)
	if err == nil && record.IsNew() {
		record.Parts = 1
		err = o.PutScope(s.t.Context(), f.Connection, scope, &record)
	}
	if err == nil {
		err = o.PutFinding(s.t.Context(), scope, 1, f)
	}
	if err == nil {
		err = o.EndFindings(s.t.Context(), f.Connection, scope, s.now)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) call(method, path string, h header, body any) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.as(caller{person: "operator"}, method, path, h, body)
}

func (s *server) as(c caller, method, path string, h header, body any) *httptest.ResponseRecorder {
	s.t.Helper()
	var content bytes.Buffer
	if body != nil {
		if text, raw := body.(string); raw {
			content.WriteString(text)
		} else if err := json.NewEncoder(&content).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, &content)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range h {
		r.Header.Set(name, value)
	}
	r = s.from(r, c, model.OrganizationID(h[in]))
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// from makes a request a caller's.
func (s *server) from(r *http.Request, c caller, org model.OrganizationID) *http.Request {
	r.Header.Del(in)
	if org == "" {
		org = "default"
	}
	if c.address != "" {
		r.RemoteAddr = c.address + ":1234"
	}
	switch {
	case c.nobody:
		return r
	case strings.HasPrefix(r.URL.Path, "/operator/"):
		return r.WithContext(auth.WithOperator(r.Context(), "arn:aws:iam::999999999999:user/"+c.person))
	}
	if r.Header.Get("Authorization") == "" {
		access := s.people.token(s.t, org, c.person)
		if sessionOnly(r) {
			access = s.people.again(s.t, org, c.person)
		}
		r.Header.Set("Authorization", "Bearer "+access.Reveal())
	}
	return r
}

// sessionOnly reports whether a request is for what no token may do.
func sessionOnly(r *http.Request) bool {
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet:
		return false
	case path == "/v1/invitations" && r.Method == http.MethodPost, path == "/v1/settings", path == "/v1/sso":
		return true
	default:
		return strings.HasPrefix(path, "/v1/compliance/") || strings.HasPrefix(path, "/v1/members/") && (r.Method == http.MethodPatch || strings.HasSuffix(path, "/recovery"))
	}
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return out
}

// problem checks an answer that refuses.
func problem(t testing.TB, what string, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	p := decode[api.Problem](t, w)
	if w.Code != status || p.Code != code || p.Status != status || p.Detail == "" || p.RequestID == "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		t.Errorf("%s: status %d, %s, want %d with code %q", what, w.Code, w.Body, status, code)
	}
}

const role = "arn:aws:iam::111122223333:role/TheirAuditRole"

func (s *server) connect(h header, body map[string]any) api.ConnectionOutput {
	s.t.Helper()
	if _, ok := body["role_arn"]; !ok {
		body["role_arn"] = role
	}
	w := s.call(http.MethodPost, "/v1/connections", h, body)
	if w.Code != http.StatusCreated {
		s.t.Fatalf("connect: status %d, %s", w.Code, w.Body)
	}
	return decode[api.ConnectionOutput](s.t, w)
}

func TestConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(header{"Idempotency-Key": "k"}, map[string]any{"name": "shop", "schedule": map[string]any{"expression": "rate(1 day)"}})
	if c.AccountID != "111122223333" || c.State != model.ConnectionPending || len(c.ExternalID) < 32 || c.CheckerRole == "" || c.NextAudit == nil {
		t.Errorf("connection %+v", c)
	}
	again := s.connect(header{"Idempotency-Key": "k"}, map[string]any{"name": "shop", "schedule": map[string]any{"expression": "rate(1 day)"}})
	if again.ID != c.ID {
		t.Error("the same request made two connections")
	}
	w := s.call(http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, map[string]any{"role_arn": role, "name": "other"})
	problem(t, "another request with the same key", w, http.StatusUnprocessableEntity, "idempotency_key_reused")

	path := "/v1/connections/" + string(c.ID)
	got := s.call(http.MethodGet, path, nil, nil)
	tag := got.Header().Get("ETag")
	update := map[string]any{"role_arn": role, "name": "shop 2", "schedule": map[string]any{}, "trusted_accounts": []string{"444455556666"}}
	problem(t, "change without If-Match", s.call(http.MethodPut, path, nil, update), http.StatusPreconditionRequired, "precondition_required")
	problem(t, "change of what it was not", s.call(http.MethodPut, path, header{"If-Match": `"v99"`}, update), http.StatusPreconditionFailed, "stale")
	w = s.call(http.MethodPut, path, header{"If-Match": tag}, update)
	if changed := decode[api.ConnectionOutput](t, w); w.Code != http.StatusOK || changed.Name != "shop 2" || changed.NextAudit != nil || !slices.Equal(changed.TrustedAccounts, []string{"444455556666"}) {
		t.Errorf("change: status %d, %+v", w.Code, changed)
	}
	problem(t, "the same change again", s.call(http.MethodPut, path, header{"If-Match": tag}, update), http.StatusPreconditionFailed, "stale")
	moved := map[string]any{"role_arn": "arn:aws:iam::444455556666:role/TheirAuditRole", "name": "", "trusted_accounts": []string{}}
	problem(t, "another account", s.call(http.MethodPut, path, header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}, moved),
		http.StatusUnprocessableEntity, "invalid")

	var list struct{ Connections []model.Connection }
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/connections", nil, nil).Body.Bytes(), &list); err != nil || len(list.Connections) != 1 {
		t.Errorf("connections %+v, %v", list, err)
	}
}

// TestNothingIsTakenAwayByLeavingItOut: a change that is written for one thing is told what
// else there is; what it says empty is taken away.
func TestNothingIsTakenAwayByLeavingItOut(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	all := map[string]any{
		"name": "shop", "project": "p", "role_arn": role, "regions": []string{"eu-west-1"}, "services": []string{"house"}, "checks": []string{"door-*"},
		"unused_defaults": true, "trusted_accounts": []string{"444455556666"}, "options": map[string]any{"door-locked": map[string]any{"locks": 2}}, "call_budget": 1000, "schedule": map[string]any{"expression": "rate(1 day)"},
	}
	empty := map[string]any{
		"name": "", "project": "", "role_arn": "", "regions": []string{}, "services": []string{}, "checks": []string{},
		"unused_defaults": false, "trusted_accounts": []string{}, "options": map[string]any{}, "call_budget": 0, "schedule": map[string]any{},
	}
	// Nothing that is said of a connection is missing here.
	for _, field := range reflect.VisibleFields(reflect.TypeFor[api.ConnectionInput]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && all[name] == nil {
			t.Errorf("%s is not tried", name)
		}
	}
	c := s.connect(nil, all)
	path := "/v1/connections/" + string(c.ID)
	for name := range all {
		w := s.call(http.MethodPut, path, s.tag(path), without(all, name))
		problem(t, "without "+name, w, http.StatusUnprocessableEntity, "invalid")
		if !strings.Contains(w.Body.String(), "body."+name) {
			t.Errorf("without %s: %s", name, w.Body)
		}
	}
	problem(t, "nothing", s.call(http.MethodPut, path, s.tag(path), map[string]any{}), http.StatusUnprocessableEntity, "invalid")
	if w := s.call(http.MethodPut, path, s.tag(path), empty); w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	got := decode[model.Connection](t, s.call(http.MethodGet, path, nil, nil))
	if got.Name+got.Project+got.RoleARN+got.Schedule.Expression != "" || len(got.Regions)+len(got.Services)+len(got.Checks)+len(got.TrustedAccounts)+got.CallBudget != 0 || got.Unused {
		t.Errorf("emptied: %+v", got)
	}
	if w := s.call(http.MethodPut, path, s.tag(path), map[string]any{}); w.Code != http.StatusOK {
		t.Errorf("a connection that has nothing: %d, %s", w.Code, w.Body)
	}
}

// without is a body without one of its names.
func without(body map[string]any, name string) map[string]any {
	rest := maps.Clone(body)
	delete(rest, name)
	return rest
}

// TestConnectionPages: ten thousand connections are no single answer. A deleted one is
// on no page.
func TestConnectionPages(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var want []string
	for i := range 7 {
		c := s.connect(nil, map[string]any{"name": fmt.Sprint("account ", i)})
		s.now = s.now.Add(time.Second) // ids are in the order of time
		if i != 3 {
			want = append(want, string(c.ID))
			continue
		}
		path := "/v1/connections/" + string(c.ID)
		w := s.call(http.MethodDelete, path, header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}, nil)
		if w.Code != http.StatusAccepted {
			t.Fatalf("delete: status %d, %s", w.Code, w.Body)
		}
	}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		var got []string
		pages := 0
		for cursor := ""; pages == 0 || cursor != ""; pages++ {
			var page struct {
				Connections []model.Connection
				Cursor      string
			}
			w := s.call(http.MethodGet, fmt.Sprintf("/v1/connections?limit=%d&cursor=%s", limit, cursor), nil, nil)
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Connections) > limit {
				t.Fatalf("limit %d: %d connections, %v", limit, len(page.Connections), err)
			}
			for _, c := range page.Connections {
				got = append(got, string(c.ID))
			}
			cursor = page.Cursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d at a time: %v, want %v", limit, got, want)
		}
	}
	problem(t, "a cursor of nobody", s.call(http.MethodGet, "/v1/connections?cursor=x", nil, nil), http.StatusUnprocessableEntity, "invalid")
}

func TestInvalidConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, body := range map[string]any{
		"no ARN":                map[string]any{"role_arn": "CloudArqAuditRole"},
		"no JSON":               "{",
		"an unknown field":      map[string]any{"role_arn": role, "secret_key": "x"},
		"a user's ARN":          map[string]any{"role_arn": "arn:aws:iam::111122223333:user/x"},
		"another name":          map[string]any{"role_arn": "arn:aws:iam::111122223333:role/CloudArqAuditRole"},
		"another case":          map[string]any{"role_arn": "arn:aws:iam::111122223333:role/theirauditrole"},
		"a path":                map[string]any{"role_arn": "arn:aws:iam::111122223333:role/security/TheirAuditRole"},
		"another partition":     map[string]any{"role_arn": "arn:aws-us-gov:iam::111122223333:role/TheirAuditRole"},
		"an unknown check":      map[string]any{"role_arn": role, "checks": []string{"door-lockd"}},
		"an unknown service":    map[string]any{"role_arn": role, "services": []string{"garden"}},
		"an unknown region":     map[string]any{"role_arn": role, "regions": []string{"eu-west-1", "eu-wst-1"}},
		"a trusted name":        map[string]any{"role_arn": role, "trusted_accounts": []string{"the-other"}},
		"a trusted ARN":         map[string]any{"role_arn": role, "trusted_accounts": []string{"arn:aws:iam::444455556666:root"}},
		"more than are trusted": map[string]any{"role_arn": role, "trusted_accounts": slices.Repeat([]string{"444455556666"}, 1001)},
		"an invalid schedule":   map[string]any{"role_arn": role, "schedule": map[string]any{"expression": "daily"}},
		"a schedule, no role":   map[string]any{"schedule": map[string]any{"expression": "rate(1 day)"}},
		"an endless name":       map[string]any{"role_arn": role, "name": strings.Repeat("x", 101)},
		"a project with spaces": map[string]any{"role_arn": role, "project": "a b"},
	} {
		w := s.call(http.MethodPost, "/v1/connections", nil, body)
		if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
			continue
		}
		problem(t, name, w, w.Code, "invalid")
	}
}

// A region that nobody knows is refused with the nearest; one that a connection has already
// stays, since it may be of a release that knew more.
func TestRegionsThatAreNone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"regions": []string{"eu-west-1"}})
	org := s.store.For("default")
	stored, err := org.Connection(t.Context(), c.ID)
	if err == nil {
		stored.Regions = []string{"eu-west-1", "eu-moon-1"}
		err = org.PutConnection(t.Context(), &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/connections/" + string(c.ID)
	tag := header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}
	w := s.call(http.MethodPut, path, tag, map[string]any{"role_arn": role, "regions": []string{"eu-moon-1", "eu-wst-1"}})
	problem(t, "a typing error", w, http.StatusUnprocessableEntity, "invalid")
	if !strings.Contains(w.Body.String(), "eu-west-1") || strings.Contains(w.Body.String(), "moon") {
		t.Errorf("the nearest is not said: %s", w.Body)
	}
	if w := s.call(http.MethodPut, path, tag, map[string]any{"role_arn": role, "regions": []string{"eu-moon-1", "us-east-1"}}); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// A role that the checker may not assume is refused with the reason, also when the role of
// a connection is changed; one that is kept from before stays as it is.
func TestRolesOfOtherNames(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	other := map[string]any{"role_arn": "arn:aws:iam::111122223333:role/security/TheirAuditRole"}
	w := s.call(http.MethodPost, "/v1/connections", nil, other)
	problem(t, "a path", w, http.StatusUnprocessableEntity, "invalid")
	for _, word := range []string{role, "TheirAuditRole", "AuditRoleName", "path"} {
		if !strings.Contains(w.Body.String(), word) {
			t.Errorf("the reason does not say %s: %s", word, w.Body)
		}
	}
	c := s.connect(nil, map[string]any{})
	path := "/v1/connections/" + string(c.ID)
	change := func(body map[string]any) *httptest.ResponseRecorder {
		return s.call(http.MethodPut, path, header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}, body)
	}
	problem(t, "changed to it", change(other), http.StatusUnprocessableEntity, "invalid")
	stored, err := s.store.For("default").Connection(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	stored.RoleARN = "arn:aws:iam::111122223333:role/Older"
	if err := s.store.For("default").PutConnection(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
	if w := change(map[string]any{"role_arn": stored.RoleARN, "name": "renamed"}); w.Code != http.StatusOK {
		t.Errorf("as it was: status %d, %s", w.Code, w.Body)
	}
}

func TestAudits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	w := s.call(http.MethodPost, "/v1/audits", header{"Idempotency-Key": "k"}, map[string]string{"connection": string(c.ID)})
	a := decode[api.AuditOutput](t, w)
	if w.Code != http.StatusAccepted || a.State != model.AuditConnecting || a.Progress.TasksTotal != 1 || w.Header().Get("Retry-After") == "" || s.tasks.Len() != 1 {
		t.Fatalf("start: status %d, %+v, %d messages", w.Code, a, s.tasks.Len())
	}
	path := w.Header().Get("Location")
	again := s.call(http.MethodPost, "/v1/audits", header{"Idempotency-Key": "k"}, map[string]string{"connection": string(c.ID)})
	if decode[api.AuditOutput](t, again).ID != a.ID {
		t.Error("the same request started two audits")
	}
	problem(t, "a second audit meanwhile", s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}), http.StatusConflict, "audit_running")
	problem(t, "retry of a running one", s.call(http.MethodPost, path+"/retry", nil, nil), http.StatusConflict, "nothing_to_retry")
	for range 2 { // cancelling twice does no harm
		w = s.call(http.MethodPost, path+"/cancel", nil, nil)
		if got := decode[api.AuditOutput](t, w); w.Code != http.StatusOK || got.State != model.AuditCancelled {
			t.Errorf("cancel: status %d, audit is %s", w.Code, got.State)
		}
	}
	until := func(end time.Time) {
		t.Helper()
		org := s.store.For("default")
		stored, err := org.Audit(t.Context(), c.ID, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		stored.DetailUntil = end
		if err := org.PutAudit(t.Context(), &stored); err != nil {
			t.Fatal(err)
		}
	}
	until(s.now.Add(time.Hour))
	problem(t, "retry of one whose tasks are about to go", s.call(http.MethodPost, path+"/retry", nil, nil), http.StatusConflict, "audit_forgotten")
	until(s.now.Add(30 * 24 * time.Hour))
	w = s.call(http.MethodPost, path+"/retry", nil, nil)
	if got := decode[api.AuditOutput](t, w); w.Code != http.StatusAccepted || got.State.Ended() {
		t.Errorf("go on: status %d, audit is %s", w.Code, got.State)
	}
	var list struct {
		Audits []model.Audit
		Cursor string
	}
	w = s.call(http.MethodGet, "/v1/connections/"+string(c.ID)+"/audits?limit=1", nil, nil)
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Audits) != 1 {
		t.Errorf("audits %s, %v", w.Body, err)
	}
	problem(t, "a cursor of our own making", s.call(http.MethodGet, "/v1/connections/"+string(c.ID)+"/audits?cursor=abc", nil, nil), http.StatusUnprocessableEntity, "invalid")
	problem(t, "no score yet", s.call(http.MethodGet, "/v1/connections/"+string(c.ID)+"/score", nil, nil), http.StatusNotFound, "not_found")

	pending := s.connect(nil, map[string]any{"role_arn": ""})
	problem(t, "an audit without a role", s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(pending.ID)}), http.StatusConflict, "connection_pending")
}

// TestOnce: after the audit of a connection that is audited once, the connection
// says what can be deleted; nothing is by itself.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"schedule": map[string]any{"expression": "once"}})
	if c.Reminder != "" || c.NextAudit == nil {
		t.Errorf("at first: reminder %q, next audit %v", c.Reminder, c.NextAudit)
	}
	path, org := "/v1/connections/"+string(c.ID), s.store.For("default")
	a := decode[api.AuditOutput](t, s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}))
	if !a.Once {
		t.Error("the audit does not know that it is the only one")
	}
	reminder := func() string {
		t.Helper()
		return decode[api.ConnectionOutput](t, s.call(http.MethodGet, path, nil, nil)).Reminder
	}
	if text := reminder(); text != "" {
		t.Errorf("while it runs: %s", text)
	}
	ended, err := org.Audit(t.Context(), c.ID, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	ended.State, ended.Summary = model.AuditDone, &model.Summary{}
	if err := org.PutAudit(t.Context(), &ended); err != nil {
		t.Fatal(err)
	}
	if text := reminder(); text != alert.Reminder(ended) || !strings.Contains(text, "delete-stack") || !strings.Contains(text, "DELETE "+path) {
		t.Errorf("after it: %q", text)
	}
	tag := s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")
	s.call(http.MethodPut, path, header{"If-Match": tag}, map[string]any{"role_arn": role, "schedule": map[string]any{"expression": "rate(1 day)"}})
	if text := reminder(); text != "" {
		t.Errorf("when it is to be audited every day: %s", text)
	}
}

// That no jitter is wanted is something else than that nothing was said of it.
func TestJitterIsKeptAsGiven(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for given, want := range map[string]*int{"": nil, `, "jitter_minutes": 0`: new(0), `, "jitter_minutes": 15`: new(15)} {
		body := json.RawMessage(`{"role_arn": "` + role + `", "schedule": {"expression": "cron(0 6 * * ? *)"` + given + `}}`)
		c := decode[api.ConnectionOutput](t, s.call(http.MethodPost, "/v1/connections", nil, body))
		if d := cmp.Diff(want, c.Schedule.JitterMinutes); d != "" {
			t.Errorf("%q (-want +got):\n%s", given, d)
		}
		if c.NextAudit == nil {
			t.Fatalf("%q is never due", given)
		}
		late := c.NextAudit.Sub(c.NextAudit.Truncate(24 * time.Hour).Add(6 * time.Hour))
		if most := map[string]time.Duration{"": time.Hour, `, "jitter_minutes": 0`: 1, `, "jitter_minutes": 15`: 15 * time.Minute}[given]; late < 0 || late >= most {
			t.Errorf("%q is due %s after six", given, late)
		}
	}
	if w := s.call(http.MethodPost, "/v1/connections", nil, json.RawMessage(`{"role_arn": "`+role+`", "schedule": {"expression": "rate(1 day)", "jitter_minutes": -1}}`)); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a jitter of -1: status %d", w.Code)
	}
}

func TestFindingsPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	want := map[model.FindingID]bool{}
	for i := range 25 {
		for _, scope := range []string{"house", "across"} {
			ref := model.Ref{ARN: "arn:aws:house:::door/" + scope + string(rune('a'+i)), Account: "111122223333", Region: "eu-west-1"}
			f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Severity: model.High, Connection: c.ID, Resource: ref, State: model.FindingOpen, History: []model.Event{}}
			s.found("default", scope, f)
			want[f.ID] = true
		}
	}
	got := map[model.FindingID]bool{}
	for cursor, pages := "", 0; ; pages++ {
		var page struct {
			Findings []shape.Finding
			Cursor   string
		}
		w := s.call(http.MethodGet, "/v1/connections/"+string(c.ID)+"/findings?limit=7&cursor="+cursor, nil, nil)
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK || len(page.Findings) > 7 || pages > 20 {
			t.Fatalf("page: status %d, %v, %d findings", w.Code, err, len(page.Findings))
		}
		for _, f := range page.Findings {
			if got[f.ID] {
				t.Errorf("finding %s is on two pages", f.ID)
			}
			got[f.ID] = true
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("%d findings, want %d", len(got), len(want))
	}
	one := slices.Collect(maps.Keys(want))[0]
	if w := s.call(http.MethodGet, "/v1/findings/"+string(one), nil, nil); w.Code != http.StatusOK || decode[shape.Finding](t, w).ID != one {
		t.Errorf("finding: status %d, %s", w.Code, w.Body)
	}
}

// TestEveryRoute: without a caller nothing answers, another organization's ids
// do not exist, and every answer has the headers.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	a := decode[api.AuditOutput](t, s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}))
	ref := model.Ref{ARN: "arn:aws:house:::door/a"}
	f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Severity: model.High, Connection: c.ID, Resource: ref, State: model.FindingOpen, History: []model.Event{}}
	s.found("default", "house", f)
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
		}
	}
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/openapi.json", nil, nil).Body.Bytes(), &document); err != nil || len(document.Paths) < 8 {
		t.Fatalf("OpenAPI: %v, %d paths", err, len(document.Paths))
	}
	bodies := map[string]any{
		"start-audit":       map[string]string{"connection": string(c.ID)},
		"create-connection": map[string]any{"role_arn": role},
		"update-connection": map[string]any{"role_arn": role},
		"update-member":     map[string]any{"suspended": false},
		"update-project":    map[string]any{"description": "x"},
		"give-access-key":   map[string]any{"access_key_id": keyID, "secret_access_key": keySecret},
	}
	job := decode[model.Job](t, s.call(http.MethodPost, rekeyPath, nil, nil))
	member := s.join("anna@example.com", model.RoleClient)
	invited := decode[api.Link](t, s.call(http.MethodPost, "/v1/invitations", nil, map[string]any{"email": "bob@example.com", "role": "client"}))
	s.call(http.MethodPost, "/v1/projects", nil, map[string]any{"name": "shop"})
	own := []string{"/v1/me/", "/v1/tokens/", "/v1/session/", "/v1/checks/", "/v1/compliance/"} // of whom no other organization's caller comes to by an id
	fill := strings.NewReplacer("{person}", string(member.Session.Person), "{invitation}", invited.ID, "{project}", "shop", "{token}", "none", "{passkey}", "none", "{session}", "none", "{organization}", "default", "{job}", string(job.ID), "{connection}", string(c.ID), "{audit}", string(a.ID), "{check}", "door-locked", "{finding}", string(f.ID), "{framework}", "house-1", "{requirement}", "1.1", "{attestation}", "none")
	for template, methods := range document.Paths {
		for method, operation := range methods {
			path, body := fill.Replace(template), bodies[operation.OperationID]
			if len(operation.Security) == 0 { // whoever signs in, or has a link
				continue
			}
			open := s.as(nobody, strings.ToUpper(method), path, nil, body)
			operators := strings.HasPrefix(path, "/operator/")
			code := map[bool]string{true: "not_signed", false: "not_signed_in"}[operators]
			problem(t, operation.OperationID+" without a caller", open, http.StatusUnauthorized, code)
			secured(t, operation.OperationID, open)
			if operators || !strings.Contains(template, "{") && operation.OperationID != "start-audit" || slices.ContainsFunc(own, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
				continue
			}
			foreign := s.call(strings.ToUpper(method), path, header{in: "other", "If-Match": `"v1"`}, body)
			secured(t, operation.OperationID, foreign)
			problem(t, operation.OperationID+" of another organization", foreign, http.StatusNotFound, "not_found")
		}
	}
	problem(t, "no such route", s.call(http.MethodGet, "/v1/nothing", nil, nil), http.StatusNotFound, "not_found")
}

// TestPolicyIsPublic: the one thing that anybody may read, and in each form the
// very bytes that the command prints.
func TestPolicyIsPublic(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]bool{}
	for query, want := range map[string]struct {
		format    policy.Format
		mediaType string
	}{
		"":                       {policy.FormatJSON, "application/json"},
		"?format=json":           {policy.FormatJSON, "application/json"},
		"?format=cloudformation": {policy.FormatCloudFormation, "application/yaml"},
		"?format=stackset":       {policy.FormatStackSet, "application/yaml"},
		"?format=terraform":      {policy.FormatTerraform, "text/plain; charset=utf-8"},
	} {
		w := s.as(nobody, http.MethodGet, "/v1/policy"+query, nil, nil)
		tag := fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256([]byte(role.In(want.format)))))
		if w.Code != http.StatusOK || w.Body.String() != role.In(want.format) || w.Header().Get("Content-Type") != want.mediaType ||
			w.Header().Get("ETag") != tag || w.Header().Get("CloudArq-Policy-Version") != role.Version {
			t.Errorf("policy%s: status %d, %d bytes, %v", query, w.Code, w.Body.Len(), w.Header())
		}
		if again := s.as(nobody, http.MethodGet, "/v1/policy"+query, header{"If-None-Match": tag}, nil); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("policy%s, the same again: status %d", query, again.Code)
		}
		tags[tag] = true
	}
	if len(tags) != 4 {
		t.Errorf("%d tags of 4 forms", len(tags))
	}
	for _, query := range []string{"?format=yaml", "?format=", "?form=terraform"} {
		problem(t, query, s.as(nobody, http.MethodGet, "/v1/policy"+query, nil, nil), http.StatusUnprocessableEntity, "invalid")
	}
	problem(t, "another method", s.as(nobody, http.MethodPost, "/v1/policy", nil, nil), http.StatusMethodNotAllowed, "method_not_allowed")
}

func TestOddRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, id := range []string{"a#b", "A", "-a", strings.Repeat("a", 64)} {
		problem(t, "an organization that cannot be: "+id, s.call(http.MethodGet, "/operator/v1/organizations/"+url.PathEscape(id), nil, nil), http.StatusNotFound, "not_found")
	}
	problem(t, "an unknown parameter", s.call(http.MethodGet, "/v1/connections?x=1", nil, nil), http.StatusUnprocessableEntity, "invalid")
	w := s.call(http.MethodGet, "/v1/connections", header{"X-Request-Id": "abc<script>"}, nil)
	if id := w.Header().Get("X-Request-Id"); strings.Contains(id, "<") || id == "" {
		t.Errorf("request id %q", id)
	}
}

// TestOneAuditAtATime: of requests that come at the same moment, one begins an audit.
func TestOneAuditAtATime(t *testing.T) {
	t.Parallel()
	for range 10 {
		s := newServer(t)
		c := s.connect(nil, map[string]any{})
		codes := make([]int, 8)
		var group sync.WaitGroup
		for i := range codes {
			group.Go(func() {
				codes[i] = s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}).Code
			})
		}
		group.Wait()
		slices.Sort(codes)
		if codes[0] != http.StatusAccepted || codes[1] != http.StatusConflict || codes[7] != http.StatusConflict {
			t.Errorf("answers %v, want one audit to begin", codes)
		}
		if all, err := s.store.For("default").AuditsOf(t.Context(), c.ID); err != nil || len(all) != 1 || s.tasks.Len() != 1 {
			t.Errorf("%d audits, %d messages, %v", len(all), s.tasks.Len(), err)
		}
	}
}

// TestAuditWhoseBeginnerDied: an audit whose task was never sent, and one that was never
// written, do not keep others out.
func TestAuditWhoseBeginnerDied(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	post := func() *httptest.ResponseRecorder {
		return s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)})
	}
	org := s.store.For("default")
	if _, err := org.Claim(t.Context(), c.ID, "of-one-who-died", s.now); err != nil {
		t.Fatal(err)
	}
	problem(t, "while it may be on its way", post(), http.StatusConflict, "audit_running")
	s.now = s.now.Add(2 * time.Minute)
	s.tasks.Full = true
	problem(t, "the queue is away", post(), http.StatusInternalServerError, "internal")
	s.tasks.Full = false
	problem(t, "at once", post(), http.StatusConflict, "audit_running")
	s.now = s.now.Add(2 * time.Minute)
	w := post()
	if a := decode[api.AuditOutput](t, w); w.Code != http.StatusAccepted || a.State != model.AuditConnecting || s.tasks.Len() != 1 {
		t.Errorf("status %d, %+v, %d messages", w.Code, a, s.tasks.Len())
	}
	if all, err := org.AuditsOf(t.Context(), c.ID); err != nil || len(all) != 1 {
		t.Errorf("%d audits, %v", len(all), err)
	}
	problem(t, "a verification", s.call(http.MethodPost, "/v1/connections/"+string(c.ID)+"/verify", nil, nil), http.StatusConflict, "audit_running")
}

// away is a queue that can be away.
type away struct {
	*memory.Queue
	Full bool
}

func (q *away) Send(ctx context.Context, bodies ...[]byte) error {
	if q.Full {
		return errAway
	}
	return q.Queue.Send(ctx, bodies...)
}

var errAway = errors.New("it is away")

// TestConnectionThatCannotBeWritten: what went wrong with its write is no missing thing.
func TestConnectionThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.table.fails = "CONNECTION"
	problem(t, "the table is away", s.call(http.MethodPost, "/v1/connections", nil, map[string]any{}), http.StatusInternalServerError, "internal")
	if !strings.Contains(s.log.String(), errAway.Error()) {
		t.Errorf("log: %s", s.log)
	}
}

// lossy is a table that takes no record whose partition has some word.
type lossy struct {
	table.Table
	fails     string
	by        error  // errAway if nil
	meanwhile func() // once, before a connection is written
}

func (l *lossy) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	if l.fails != "" && strings.Contains(k.PK, l.fails) {
		return 0, errAway
	}
	return l.Table.Add(ctx, k, n, expires)
}

func (l *lossy) Put(ctx context.Context, it table.Item) error {
	if l.fails != "" && strings.Contains(it.PK, l.fails) {
		if l.by != nil {
			return l.by
		}
		return errAway
	}
	if then := l.meanwhile; then != nil && strings.HasSuffix(it.PK, "#CONNECTION") {
		l.meanwhile = nil
		then()
	}
	return l.Table.Put(ctx, it)
}
