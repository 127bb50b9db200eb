package recorded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const org model.OrganizationID = "acme"

var began = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

// world is an organization whose audits recorded something.
type world struct {
	t     *testing.T
	now   time.Time
	table *mortal
	o     *store.Organization
	blobs *memblob.Store
	index *index.Keepers
}

// mortal is a table whose user dies when it would send a connection to the bank.
type mortal struct {
	table.Table
	dies bool
}

func (m *mortal) Put(ctx context.Context, it table.Item) error {
	if m.dies && bytes.Contains(it.Body, []byte(`"project":"bank"`)) {
		return errors.New("died")
	}
	return m.Table.Put(ctx, it)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: began, blobs: memblob.New()}
	clock := func() time.Time { return w.now }
	w.table = &mortal{Table: memtable.New(clock)}
	s := store.New(w.table, func(model.CheckID) (model.Severity, bool) { return "", false })
	w.o, w.index = s.For(org), &index.Keepers{Store: s, Blobs: w.blobs, Now: clock}
	return w
}

func (w *world) connect(id model.ConnectionID, name, account, project string) {
	w.t.Helper()
	if err := w.o.PutConnection(w.t.Context(), &model.Connection{ID: id, Name: name, AccountID: account, Project: project, State: model.ConnectionActive}); err != nil {
		w.t.Fatal(err)
	}
}

func auditID(of model.ConnectionID, n int) model.AuditID {
	return model.AuditID(fmt.Sprintf("%024d%s", n, of))
}

// audited is an audit of a connection that recorded entries by service, and keeps them until
// then; zero is for ever.
func (w *world) audited(id model.ConnectionID, n int, until time.Time, recorded map[string][]evidence.Entry) model.AuditID {
	w.t.Helper()
	a := model.Audit{
		ID: auditID(id, n), Connection: id, State: model.AuditDone, StartedAt: began.Add(time.Duration(n) * time.Hour),
		DetailUntil: until, Summary: &model.Summary{},
	}
	for service, entries := range recorded {
		a.Services = append(a.Services, service)
		var content bytes.Buffer
		out := blob.NewWriter(&content)
		for _, e := range entries {
			if err := out.Write(e); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := out.Close(); err != nil {
			w.t.Fatal(err)
		}
		key := fmt.Sprintf("evidence/%s/%s/%s", id, a.ID, service)
		if err := w.blobs.Put(w.t.Context(), key, &content); err != nil {
			w.t.Fatal(err)
		}
		task := model.Task{ID: model.TaskID(service), Audit: a.ID, Service: service, State: model.TaskIngested, Evidence: key}
		if err := w.o.PutTasks(w.t.Context(), []model.Task{task}); err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(a.Services)
	if err := w.o.PutAudit(w.t.Context(), &a); err != nil {
		w.t.Fatal(err)
	}
	if err := w.o.EndFindings(w.t.Context(), id, "audit", w.now); err != nil {
		w.t.Fatal(err)
	}
	return a.ID
}

// forget deletes what an audit recorded, as its time is over.
func (w *world) forget(id model.ConnectionID, audit model.AuditID, service string) {
	w.t.Helper()
	if err := w.blobs.Delete(w.t.Context(), fmt.Sprintf("evidence/%s/%s/%s", id, audit, service)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) estate(who index.Caller) recorded.Estate {
	w.t.Helper()
	catalog, err := services.Catalog()
	if err != nil {
		w.t.Fatal(err)
	}
	view, err := w.index.For(org).View(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return recorded.Estate{Store: w.o, Evidence: w.blobs, Catalog: catalog, View: view, Who: who, Now: func() time.Time { return w.now }}
}

// names are those of the resources that fit, and what the list does not tell.
func (w *world) names(who index.Caller, words ...string) (string, recorded.Left, error) {
	w.t.Helper()
	var names []string
	_, left, err := w.estate(who).Resources(w.t.Context(), words, recorded.Position{}, func(r *shape.Resource, _ bool) error {
		if r != nil {
			names = append(names, r.Name)
		}
		return nil
	})
	slices.Sort(names)
	return strings.Join(names, " "), left, err
}

func bucket(account, name string) evidence.Entry {
	return evidence.Entry{Kind: "AWS::S3::Bucket", Ref: model.Ref{ARN: "arn:aws:s3:::" + name, Account: account, Region: "eu-west-1", Name: name}, Resource: json.RawMessage(`{}`)}
}

// tagged is what the tagging service lists: the tags of some buckets, in a region that was
// listed in whole.
func tagged(t *testing.T, account string, of map[string]map[string]string) []evidence.Entry {
	t.Helper()
	kind := tagging.TaggedResource{}.Kind()
	all := []evidence.Entry{{Kind: kind, Listing: &evidence.Listing{Region: "eu-west-1", Count: len(of)}}}
	for name, set := range of {
		e := bucket(account, name)
		data, err := json.Marshal(tagging.TaggedResource{Resource: model.Resource{Ref: e.Ref}, Tags: fact.Known(set)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, evidence.Entry{Kind: kind, Ref: e.Ref, Resource: data})
	}
	return all
}

// sees is who sees some projects.
func sees(projects ...string) index.Caller {
	return index.Caller{Sees: func(p string) bool { return slices.Contains(projects, p) }, Grants: strings.Join(projects, ",")}
}

// shops are an account of a shop with tags, one without, and one of a bank.
func shops(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.connect("c1", "prod-eu", "111111111111", "shop")
	w.connect("c2", "prod-us", "222222222222", "shop")
	w.connect("c3", "vault", "333333333333", "bank")
	w.audited("c1", 1, time.Time{}, map[string][]evidence.Entry{
		"s3":         {bucket("111111111111", "carts"), bucket("111111111111", "drafts"), bucket("111111111111", "plain")},
		tagging.Name: tagged(t, "111111111111", map[string]map[string]string{"carts": {"env": "prod"}, "drafts": {"env": "test"}}),
	})
	w.audited("c2", 1, time.Time{}, map[string][]evidence.Entry{"s3": {bucket("222222222222", "logs")}})
	w.audited("c3", 1, time.Time{}, map[string][]evidence.Entry{"s3": {bucket("333333333333", "gold")}})
	return w
}

// TestWordsOfResources: what each word leaves.
func TestWordsOfResources(t *testing.T) {
	t.Parallel()
	w := shops(t)
	for words, want := range map[string]string{
		"":                           "carts drafts gold logs plain",
		"account=prod-eu":            "carts drafts plain",
		"account=prod-*":             "carts drafts logs plain",
		"account!=prod-*":            "gold",
		"connection=c3":              "gold",
		"project=shop name=*s":       "carts drafts logs",
		"type=AWS::S3::Bucket":       "carts drafts gold logs plain",
		"type=AWS::KMS::Key":         "",
		"service=tagging":            "carts drafts",
		"region=us-east-1":           "",
		"resource=arn:aws:s3:::gold": "gold",
		"part=":                      "carts drafts gold logs plain",
		"tag:env=prod":               "carts",
		"tag:env!=prod":              "drafts plain",
		"tag:env=*":                  "carts drafts",
		"tag:env!=*":                 "plain",
		"tag:env=prod,test name=d*":  "drafts",
	} {
		got, left, err := w.names(findings.Everything, strings.Fields(words)...)
		untold := 0
		if strings.Contains(words, "tag:") && !strings.Contains(words, "name=") {
			untold = 2 // of the accounts whose tags nobody listed
		}
		if err != nil || got != want || left.Untold.Resources != untold || len(left.Untold.Why) != untold || left.Unaudited+len(left.Forgotten) > 0 {
			t.Errorf("%s: %q, %+v (%v), want %q, and %d without tags", words, got, left, err, want, untold)
		}
	}
	for _, word := range []string{"severity=high", "account=nobody", "project=x", "tag:=x", "tag:env>=1", "name", "region=nowhere"} {
		if got, _, err := w.names(findings.Everything, word); !findings.Asked(err) {
			t.Errorf("%s: %s, %v", word, got, err)
		}
	}
}

// TestResourcesOfOneProject: who sees one project is told nothing of another.
func TestResourcesOfOneProject(t *testing.T) {
	t.Parallel()
	w := shops(t)
	w.connect("c4", "new", "444444444444", "bank")
	if got, left, err := w.names(sees("shop")); err != nil || got != "carts drafts logs plain" || left.Unaudited > 0 {
		t.Errorf("%s, %+v, %v", got, left, err)
	}
	for _, word := range []string{"account=vault", "account=333333333333", "connection=c3", "project=bank"} {
		if got, _, err := w.names(sees("shop"), word); !findings.Asked(err) {
			t.Errorf("%s: %s, %v", word, got, err)
		}
	}
}

// TestResourcesWhileMoving: a connection on its way from one project to another is of both, as
// its findings are.
func TestResourcesWhileMoving(t *testing.T) {
	t.Parallel()
	w := shops(t)
	c, err := w.o.Connection(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	w.table.dies, c.Project = true, "bank"
	if err := w.o.PutConnection(t.Context(), &c); err == nil {
		t.Fatal("the connection went to the other project")
	}
	for words, want := range map[string]string{"project=bank": "carts drafts gold plain", "project=shop": "carts drafts logs plain", "project!=bank": "logs"} {
		if got, _, err := w.names(findings.Everything, words); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", words, got, err, want)
		}
	}
}

// TestForgottenResources: an account whose evidence is not kept any more is said to have
// nothing in the list, and does not hold up the others.
func TestForgottenResources(t *testing.T) {
	t.Parallel()
	w := shops(t)
	w.connect("c4", "old", "444444444444", "shop")
	w.connect("c5", "new", "555555555555", "shop")
	until := began.Add(24 * time.Hour)
	old := w.audited("c4", 1, until, map[string][]evidence.Entry{"s3": {bucket("444444444444", "relic")}, tagging.Name: tagged(t, "444444444444", nil)})
	if got, left, err := w.names(findings.Everything, "account=old"); err != nil || got != "relic" || len(left.Forgotten) > 0 {
		t.Errorf("%s, %+v, %v", got, left, err)
	}
	w.now = until.Add(time.Second)
	for _, step := range []string{"kept some seconds more", "gone", "of part of the account later"} {
		got, left, err := w.names(findings.Everything)
		if err != nil || got != "carts drafts gold logs plain" || !slices.Equal(left.Forgotten, []string{"444444444444"}) || left.Unaudited != 1 {
			t.Errorf("%s: %s, %+v, %v", step, got, left, err)
		}
		if step == "kept some seconds more" {
			w.forget("c4", old, "s3")
			w.forget("c4", old, tagging.Name)
		}
	}
	w.audited("c4", 2, time.Time{}, map[string][]evidence.Entry{"s3": {bucket("444444444444", "anew")}})
	got, left, err := w.names(findings.Everything, "account=old", "tag:env!=prod")
	if err != nil || got != "" || len(left.Forgotten) > 0 || left.Untold.Resources != 1 || !strings.Contains(left.Untold.Why[0], "no audit of account 444444444444 listed its tags") {
		t.Errorf("%s, %+v, %v", got, left, err)
	}
}

// TestAlteredResources: evidence that is gone before its time is an error, and no empty list.
func TestAlteredResources(t *testing.T) {
	t.Parallel()
	w := shops(t)
	w.forget("c2", auditID("c2", 1), "s3")
	if got, _, err := w.names(findings.Everything, "account=prod-us"); err == nil {
		t.Errorf("lists %q", got)
	}
}

// TestResourcesGoOn: pages of any size have what one of all has, in its order, each once; also
// what they say of tags, of accounts whose evidence is gone, and of those never audited.
func TestResourcesGoOn(t *testing.T) {
	t.Parallel()
	w := shops(t)
	w.connect("c0", "new", "444444444444", "shop")
	w.connect("c2b", "old", "555555555555", "shop")
	w.connect("c4", "last", "666666666666", "shop")
	w.audited("c2b", 1, began.Add(time.Second), map[string][]evidence.Entry{"s3": {bucket("555555555555", "relic")}})
	w.now = began.Add(time.Hour)
	e := w.estate(findings.Everything)
	for _, words := range [][]string{nil, {"name=*s"}, {"name=nothing"}, {"tag:env!=prod"}} {
		whole, all, pages := goesOn(t, e, words, 1<<30)
		if pages != 1 || len(all.Forgotten) != 1 || all.Unaudited != 2 {
			t.Fatal(whole, all, pages)
		}
		for size := 1; size <= 12; size++ {
			got, left, _ := goesOn(t, e, words, size)
			if !slices.Equal(got, whole) || !reflect.DeepEqual(left, all) {
				t.Errorf("%v, pages of %d: %v, %+v, want %v, %+v", words, size, got, left, whole, all)
			}
		}
	}
	failed := errors.New("the reader went away")
	if _, _, err := e.Resources(t.Context(), nil, recorded.Position{}, func(*shape.Resource, bool) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
}

// TestManyAccounts: a page of a list that little fits ends after so many accounts.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const accounts, size = 300, 20
	for i := range accounts {
		id, account := model.ConnectionID(fmt.Sprintf("c%03d", i)), fmt.Sprintf("%012d", i)
		w.connect(id, "n"+account, account, "shop")
		if i%3 > 0 {
			w.audited(id, 1, time.Time{}, map[string][]evidence.Entry{"s3": {bucket(account, "plain")}})
		}
	}
	e := w.estate(findings.Everything)
	got, left, pages := goesOn(t, e, []string{"name=nothing"}, size)
	// An account, its object, and the bucket in it: each is looked at once, and the first of a page for nothing.
	if looked := accounts + accounts*2/3*2; len(got) != 0 || left.Unaudited != accounts/3 || pages < looked/(size+1) || pages > looked/size+1 {
		t.Errorf("%v, %+v, %d pages", got, left, pages)
	}
}

// goesOn is what fits, in pages for which so much is looked at, and how many those are.
func goesOn(t *testing.T, e recorded.Estate, words []string, size int) (all []string, sum recorded.Left, pages int) {
	t.Helper()
	for at := (recorded.Position{}); ; {
		looked := 0
		next, left, err := e.Resources(t.Context(), words, at, func(r *shape.Resource, _ bool) error {
			if looked++; looked > size {
				return recorded.ErrStop
			}
			if r != nil {
				all = append(all, r.Account+" "+r.Resource)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sum.Add(left)
		pages++
		if at = next; at == (recorded.Position{}) {
			return all, sum, pages
		}
	}
}
