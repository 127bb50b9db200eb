package findings_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const org model.OrganizationID = "acme"

var (
	catalog = sync.OnceValues(services.Catalog)
	began   = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
)

// estate is an organization whose findings are listed.
type estate struct {
	t     *testing.T
	lists *findings.Lists
	o     *store.Organization
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return began }
	s := store.New(memtable.New(clock), all.Severity)
	keepers := &index.Keepers{Store: s, Blobs: memblob.New(), Now: clock}
	return &estate{t, &findings.Lists{Index: keepers, Store: s, Catalog: all}, s.For(org)}
}

// connect makes a connection, of an account that was audited as a whole if there is a tally.
func (e *estate) connect(id model.ConnectionID, name, account, project string, tally model.Tally) {
	e.t.Helper()
	c := model.Connection{ID: id, Name: name, AccountID: account, Project: project, State: model.ConnectionActive}
	err := e.o.PutConnection(e.t.Context(), &c)
	if err == nil && tally != nil {
		a := model.Audit{ID: model.AuditID(fmt.Sprintf("%026d", 1)), Connection: id, AccountID: account, State: model.AuditDone, StartedAt: began, Summary: &model.Summary{Tally: tally}}
		if err = e.o.PutAudit(e.t.Context(), &a); err == nil {
			err = e.o.EndFindings(e.t.Context(), id, "audit", began)
		}
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// found makes an open finding, changed as change says.
func (e *estate) found(connection model.ConnectionID, id model.CheckID, ref model.Ref, change func(*model.Finding)) {
	e.t.Helper()
	f := model.Finding{ID: model.NewFindingID(id, ref), Check: id, Service: strings.Split(string(id), "-")[0], Severity: model.Low, Connection: connection, Resource: ref, State: model.FindingOpen, FirstSeen: began, History: []model.Event{}}
	if c, ok := e.lists.Catalog.Check(id); ok {
		f.Kind = c.Kind
	}
	if change != nil {
		change(&f)
	}
	scope := f.Service
	record, err := e.o.Scope(e.t.Context(), connection, scope)
	if err == nil && record.IsNew() {
		record.Parts = 1
		err = e.o.PutScope(e.t.Context(), connection, scope, &record)
	}
	if err == nil {
		err = e.o.PutFinding(e.t.Context(), scope, 1, f)
	}
	if err == nil {
		err = e.o.EndFindings(e.t.Context(), connection, scope, began)
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) page(who index.Caller, words ...string) (findings.Page, error) {
	return e.lists.Page(e.t.Context(), org, who, findings.Query{Words: words, Limit: 100})
}

// sees is who sees one project.
func sees(project string) index.Caller {
	return index.Caller{Sees: func(p string) bool { return p == project }, Grants: project}
}

const (
	rotation model.CheckID = "kms-key-rotation"
	public   model.CheckID = "kms-key-not-public"
)

func key(account, region, name string) model.Ref {
	return model.Ref{ARN: "arn:aws:kms:" + region + ":" + account + ":key/" + name, Account: account, Region: region, Name: name}
}

// shops are two audited accounts of a shop, one with an open, a resolved and a folded finding,
// and one of a bank with a finding of its own.
func shops(t *testing.T) *estate {
	t.Helper()
	e := newEstate(t)
	tally := model.Tally{rotation: {Pass: 1, Fail: 1}}
	e.connect("c1", "prod-eu", "111111111111", "shop", tally)
	e.connect("c2", "prod-us", "222222222222", "shop", tally)
	e.connect("c3", "vault", "333333333333", "bank", tally)
	e.found("c1", rotation, key("111111111111", "eu-west-1", "open"), nil)
	e.found("c1", rotation, key("111111111111", "eu-west-1", "resolved"), func(f *model.Finding) {
		f.State, f.ResolvedAt, f.Why = model.FindingResolved, began, model.WhyFixed
	})
	e.found("c1", rotation, key("111111111111", "eu-west-1", "folded"), func(f *model.Finding) { f.Cause = public })
	e.found("c3", "kms-of-the-bank", key("333333333333", "eu-bank-1", "deep"), func(f *model.Finding) { f.Service, f.Kind = "vaults", "AWS::KMS::Vault" })
	return e
}

func namesOf(page findings.Page) []string {
	names := make([]string, len(page.Findings))
	for i, f := range page.Findings {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}

// TestWordsOfFindings: what each word leaves, and what is left out unless a word asks for it.
func TestWordsOfFindings(t *testing.T) {
	t.Parallel()
	e := shops(t)
	for words, want := range map[string]string{
		"":                             "deep open",
		"account=prod-eu":              "open",
		"account=PROD-EU":              "open",
		"account=111111111111":         "open",
		"account=prod-*":               "open",
		"account=prod-*,vault":         "deep open",
		"account!=prod-*":              "deep",
		"account=1*":                   "open",
		"connection=prod-?u":           "open",
		"connection=c*":                "deep open",
		"connection=222222222222":      "",
		"project=shop":                 "open",
		"state=resolved":               "resolved",
		"status=pass":                  "resolved",
		"status=fail folded=true":      "folded",
		"check=KMS.4":                  "folded open",
		"check=kms-key-* status=fail":  "folded open",
		"cause=" + string(public):      "folded",
		"severity>=low":                "deep open",
		"name=deep region=eu-bank-1":   "deep",
		"first_seen=2026-05-01":        "deep open",
		"first_seen>2026-05-02":        "",
		"resolved_at=*":                "resolved",
		"tags=unknown":                 "deep open",
		"tag:env=prod":                 "",
		"tag:env!=prod":                "",
		"region=eu-*,us-east-1 name=o": "",
	} {
		page, err := e.page(findings.Everything, strings.Fields(words)...)
		if got := strings.Join(namesOf(page), " "); err != nil || got != want || page.Total != len(page.Findings) || (page.Empty != nil) != (want == "") {
			t.Errorf("%s: %q (%v), %d in all, empty %+v, want %q", words, got, err, page.Total, page.Empty, want)
		}
	}
	page, err := e.page(findings.Everything, "tag:env=prod")
	if err != nil || page.Untold != 2 {
		t.Errorf("of %d findings the tags are said not to be known (%v), want 2", page.Untold, err)
	}
}

// TestWhyNoFindings: an empty list says why, and never that all is well where nobody looked.
func TestWhyNoFindings(t *testing.T) {
	t.Parallel()
	bare, begun, blind, partly, whole := newEstate(t), newEstate(t), newEstate(t), newEstate(t), shops(t)
	begun.connect("c1", "prod", "111111111111", "", nil)
	blind.connect("c1", "prod", "111111111111", "", model.Tally{rotation: {NotAssessed: 3}, "s3-access-point-policy-not-public": {Pass: 2}})
	partly.connect("c1", "prod", "111111111111", "", model.Tally{"s3-access-point-policy-not-public": {Pass: 2}})
	partly.connect("c2", "new", "222222222222", "", nil)
	for _, c := range []struct {
		of    *estate
		who   index.Caller
		words string
		why   findings.Why
		text  string
		named []string
	}{
		{bare, findings.Everything, "", findings.NeverAudited, "no account is connected yet", nil},
		{bare, findings.Everything, "severity=high region=eu-west-1", findings.NeverAudited, "no account is connected yet", nil},
		{whole, sees("none"), "severity=high", findings.NeverAudited, "no account is connected yet", nil},
		{begun, findings.Everything, "", findings.NeverAudited, "audited in whole", nil},
		{begun, findings.Everything, "account=prod severity=high", findings.NeverAudited, "audited in whole", []string{"account=111111111111", "severity=high"}},
		{blind, findings.Everything, "service=kms", findings.NotAssessed, "could be assessed", []string{"service=kms"}},
		{blind, findings.Everything, "check=KMS.4 account=prod", findings.NotAssessed, "could be assessed", []string{"check=" + string(rotation), "account=111111111111"}},
		{blind, findings.Everything, "service=s3", findings.NoneFound, "what was audited has none", []string{"service=s3"}},
		{blind, findings.Everything, "", findings.NoneFound, "3 verdicts could not be given", nil},
		{whole, findings.Everything, "name=resolved", findings.FilteredOut, "is resolved", nil},
		{whole, findings.Everything, "name=folded", findings.FilteredOut, "follows from another", nil},
		{whole, findings.Everything, "name=nobody", findings.FilteredOut, "no finding at all fits name=nobody", []string{"name=nobody"}},
		{whole, findings.Everything, "account=vault project=shop", findings.FilteredOut, "no account fits", nil},
		{whole, findings.Everything, "name=open region=eu-bank-1", findings.FilteredOut, "fits all filters", nil},
		{partly, findings.Everything, "service=s3", findings.NoneFound, "1 of the accounts were never audited in whole", []string{"service=s3"}},
	} {
		page, err := c.of.page(c.who, strings.Fields(c.words)...)
		if err != nil || page.Empty == nil {
			t.Errorf("%s: %+v (%v), want why there is none", c.words, page, err)
			continue
		}
		if page.Empty.Why != c.why || !strings.Contains(page.Empty.Text, c.text) || !slices.Equal(page.Empty.Words, c.named) {
			t.Errorf("%s: %+v, want %s, %q, %v", c.words, *page.Empty, c.why, c.text, c.named)
		}
	}
}

// TestNothingOfOtherProjects: who sees one project finds, counts, groups and is told nothing of
// another: no value of its findings is known to be one, and none is the nearest to a mistyped.
func TestNothingOfOtherProjects(t *testing.T) {
	t.Parallel()
	e := shops(t)
	shop := sees("shop")
	page, err := e.lists.Page(t.Context(), org, shop, findings.Query{All: true, Limit: 100, Groups: []index.Group{{Field: "account", Limit: 9}, {Field: "region", Limit: 9}}})
	if err != nil || strings.Join(namesOf(page), " ") != "folded open resolved" || page.Groups[0].Total != 1 || page.Groups[1].Total != 1 {
		t.Errorf("%v, %+v (%v)", namesOf(page), page.Groups, err)
	}
	for _, word := range []string{"account=vault", "account=333333333333", "account=33333333333*", "connection=c3", "connection=vaul", "project=bank", "project=bnak", "check=kms-of-the-bank", "region=eu-bank-1", "region=eu-bank-2", "service=vaults", "type=AWS::KMS::Vault", "cause=kms-of-the-bamk"} {
		_, err := e.page(shop, word)
		var unknown *check.UnknownError
		if !errors.As(err, &unknown) || unknown.Word != word[strings.Index(word, "=")+1:] {
			t.Errorf("%s: %v, want that there is none", word, err)
			continue
		}
		for _, hidden := range []string{"vault", "333333333333", "c3", "bank"} {
			if strings.Contains(unknown.Nearest+strings.Join(unknown.Among, " "), hidden) {
				t.Errorf("%s: %v", word, err)
			}
		}
	}
	all, err := e.page(findings.Everything, "name=deep")
	if err != nil || len(all.Findings) != 1 {
		t.Fatal(all, err)
	}
	if _, err := e.lists.One(t.Context(), org, shop, "", string(all.Findings[0].ID)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a finding of another project: %v", err)
	}
}

// TestOneFinding is found by its id or the beginning of one.
func TestOneFinding(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.connect("c1", "prod", "111111111111", "shop", nil)
	for n := range 40 { // two of which begin alike, with 16 digits to begin with
		e.found("c1", rotation, key("111111111111", "eu-west-1", fmt.Sprint("k", n)), nil)
	}
	page, err := e.page(findings.Everything)
	if err != nil || len(page.Findings) != 40 {
		t.Fatal(len(page.Findings), err)
	}
	id := string(page.Findings[0].ID)
	for _, beginning := range []string{id, strings.ToUpper(id), id[:12]} {
		if f, err := e.lists.One(t.Context(), org, findings.Everything, "", beginning); err != nil || string(f.ID) != id || f.AccountName != "prod" || f.Project != "shop" {
			t.Errorf("%s: %+v, %v", beginning, f, err)
		}
	}
	for _, none := range []string{"", "*", "x", id + "0", id[:3] + "*", "id=" + id, strings.Repeat("f", 32)} {
		if f, err := e.lists.One(t.Context(), org, findings.Everything, "", none); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %+v, %v", none, f, err)
		}
	}
	several := 0
	for _, digit := range "0123456789abcdef" {
		_, err := e.lists.One(t.Context(), org, findings.Everything, "", string(digit))
		var some *findings.SeveralError
		if errors.As(err, &some) && some.Count > 1 {
			several++
		}
	}
	if several == 0 {
		t.Error("no beginning is said to be of several")
	}
}

// TestOneFindingOfTwoConnections: of an account that is connected twice, a finding is that of
// the connection that is asked for, with its history; also one of a service that is no more.
func TestOneFindingOfTwoConnections(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ref := key("111111111111", "eu-west-1", "k")
	for _, id := range []model.ConnectionID{"c1", "c2", "c3"} {
		e.connect(id, "n"+string(id), "111111111111", "shop", nil)
	}
	e.found("c1", rotation, ref, nil)
	e.found("c2", rotation, ref, func(f *model.Finding) {
		f.History = []model.Event{{At: began}}
	})
	e.found("c3", "pager-not-silent", ref, nil)
	id := string(model.NewFindingID(rotation, ref))
	for connection, history := range map[model.ConnectionID]int{"": 0, "c1": 0, "c2": 1} {
		f, err := e.lists.One(t.Context(), org, findings.Everything, connection, id)
		if err != nil || len(f.History) != history || connection != "" && f.Connection != connection {
			t.Errorf("of %q: %+v, %v", connection, f, err)
		}
	}
	for _, connection := range []model.ConnectionID{"c3", "nobody"} {
		if f, err := e.lists.One(t.Context(), org, findings.Everything, connection, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of %s: %+v, %v", connection, f, err)
		}
	}
	if f, err := e.lists.One(t.Context(), org, findings.Everything, "", string(model.NewFindingID("pager-not-silent", ref))); err != nil || f.Connection != "c3" {
		t.Errorf("of a service that is no more: %+v, %v", f, err)
	}
	if _, err := e.lists.One(t.Context(), org, sees("bank"), "c1", id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of another project: %v", err)
	}
}

// TestSomeAreThoseOfPages: Some visits what pages have, each once, up to as many as wanted.
func TestSomeAreThoseOfPages(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.connect("c1", "prod", "111111111111", "", nil)
	const all = 1100 // more than two pages
	for n := range all {
		e.found("c1", rotation, key("111111111111", "eu-west-1", fmt.Sprint("k", n)), nil)
	}
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.OneOf(rapid.SampledFrom([]int{0, 1, 499, 500, 501, 1000, 1100, 5000}), rapid.IntRange(1, 1200)).Draw(t, "most")
		seen := map[model.FindingID]bool{}
		page, err := e.lists.Some(e.t.Context(), org, findings.Everything, findings.Query{Sort: []string{"-name"}}, most, func(f shape.Finding) error {
			seen[f.ID] = true
			return nil
		})
		want := all
		if most > 0 {
			want = min(most, all)
		}
		if err != nil || len(seen) != want || page.Total != all {
			t.Fatalf("%d of %d (%v), want %d", len(seen), page.Total, err, want)
		}
	})
}

// TestRefusedQueries: what cannot be asked is an error in words for who asked.
func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	e := shops(t)
	for name, q := range map[string]findings.Query{
		"field":         {Words: []string{"nonsense=1"}},
		"value":         {Words: []string{"severity=hihg"}},
		"no value":      {Words: []string{"severity"}},
		"sort":          {Sort: []string{"reason"}},
		"sorted twice":  {Sort: []string{"type", "-resource_type"}},
		"nothing":       {Sort: []string{"-"}},
		"group":         {Groups: []index.Group{{Field: "reason"}}},
		"group of tags": {Groups: []index.Group{{Field: "tag:"}}},
		"limit":         {Limit: index.MaxLimit + 1},
		"many words":    {Words: slices.Repeat([]string{"name=x"}, index.MaxWords+1)},
	} {
		if _, err := e.lists.Page(t.Context(), org, findings.Everything, q); !findings.Asked(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.lists.Page(t.Context(), org, findings.Everything, findings.Query{Cursor: "x"}); !errors.Is(err, index.ErrCursor) {
		t.Errorf("a cursor that is none: %v", err)
	}
}

// TestChecks chooses checks by names and by words.
func TestChecks(t *testing.T) {
	t.Parallel()
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]func(shape.Check) bool{
		"":                              func(shape.Check) bool { return true },
		"kms-*":                         func(k shape.Check) bool { return k.Service == "kms" },
		"service=kms":                   func(k shape.Check) bool { return k.Service == "kms" },
		"id=kms-* severity>=critical":   func(k shape.Check) bool { return k.Service == "kms" && k.Severity == model.Critical },
		"check=KMS.4":                   func(k shape.Check) bool { return k.ID == rotation },
		"securityhub:KMS.4":             func(k shape.Check) bool { return k.ID == rotation },
		"type=AWS::KMS::Key":            func(k shape.Check) bool { return k.Type == "AWS::KMS::Key" },
		"framework=cis-aws-5.0":         func(k shape.Check) bool { return slices.Contains(k.Frameworks(), "cis-aws-5.0") },
		"pillar!=security service!=ec2": func(k shape.Check) bool { return k.Pillar != model.Security && k.Service != "ec2" },
	} {
		got, err := findings.Checks(all, strings.Fields(words))
		every, e := findings.Checks(all, nil)
		if e != nil {
			t.Fatal(e)
		}
		wanted := slices.DeleteFunc(every, func(k shape.Check) bool { return !want(k) })
		if err != nil || len(got) == 0 || !slices.EqualFunc(got, wanted, func(a, b shape.Check) bool { return a.ID == b.ID }) {
			t.Errorf("%s: %d checks (%v), want %d", words, len(got), err, len(wanted))
		}
	}
	for _, word := range []string{"account=prod", "service=nothing", "severity>", "nosuch-check", "id=nosuch"} {
		if got, err := findings.Checks(all, []string{word}); !findings.Asked(err) {
			t.Errorf("%s: %d checks, %v", word, len(got), err)
		}
	}
}
