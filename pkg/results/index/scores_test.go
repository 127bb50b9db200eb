package index_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// catalog is the one of the program: no two of its ids, former ones included, are told apart
// by nothing in a segment.
var catalog = sync.OnceValues(services.Catalog)

func rulesOf(t interface{ Fatal(args ...any) }) (*check.Catalog, *index.Rules) {
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := index.NewRules(all)
	if err != nil {
		t.Fatal(err)
	}
	return all, rules
}

// drawTally is what an audit counted, of some checks of the catalogue, of ids that these had
// before, and of one that there is not any more.
func drawTally(t *rapid.T, all *check.Catalog) model.Tally {
	ids := []model.CheckID{"gone-long-ago"}
	for _, c := range all.Checks()[:12] {
		ids = append(ids, c.ID)
	}
	for _, c := range all.Checks() {
		ids = append(ids, c.Former...)
	}
	count := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 9), rapid.IntRange(0, math.MaxInt32))
	tally := model.Tally{}
	for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID).Draw(t, "checks") {
		c := model.Counts{Pass: count.Draw(t, "pass"), Fail: count.Draw(t, "fail"), NotApplicable: count.Draw(t, "not applicable"), NotAssessed: count.Draw(t, "not assessed")}
		c.Folded = rapid.IntRange(0, c.Fail).Draw(t, "folded")
		tally[id] = c
	}
	return tally
}

// drawAudit is one of any kind; few of them say how the account stands.
func drawAudit(t *rapid.T, all *check.Catalog, connection model.ConnectionID, n int) model.Audit {
	a := model.Audit{
		ID: model.AuditID(fmt.Sprintf("%026d", n)), Connection: connection, AccountID: "1" + string(connection), State: model.AuditDone, StartedAt: began.Add(time.Duration(n) * time.Hour),
		Part: rapid.Bool().Draw(t, "is a part"), Verification: rapid.IntRange(0, 4).Draw(t, "verification") == 0,
	}
	if rapid.IntRange(0, 3).Draw(t, "fails") > 0 {
		tally := drawTally(t, all)
		a.Summary = &model.Summary{Score: model.Score{Version: 3}, Tally: tally, Resources: rapid.IntRange(0, 99).Draw(t, "resources")}
		for id, c := range tally {
			if c.NotAssessed > 0 && rapid.Bool().Draw(t, "denied") {
				a.Summary.Gaps = append(a.Summary.Gaps, model.GapCount{Reason: "denied", Action: "s3:Get" + string(id), Checks: []model.CheckID{id}, Count: 2})
			}
		}
	}
	return a
}

// TestScoresAreThoseOfTheRecords sums up what View says of accounts from the records of
// their audits, one after the other.
func TestScoresAreThoseOfTheRecords(t *testing.T) {
	t.Parallel()
	all, rules := rulesOf(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		w := newWorld()
		o := w.org(w.table)
		newest, of := map[model.ConnectionID]model.Audit{}, map[model.ConnectionID]string{}
		for n := range rapid.IntRange(0, 6).Draw(t, "connections") {
			id := model.ConnectionID(fmt.Sprint("c", n))
			of[id] = rapid.SampledFrom(projects).Draw(t, "project")
			c := model.Connection{ID: id, Name: "n" + string(id), AccountID: "1" + string(id), Project: of[id], State: model.ConnectionActive}
			if err := o.PutConnection(ctx, &c); err != nil {
				t.Fatal(err)
			}
			for at := range rapid.IntRange(0, 4).Draw(t, "audits") {
				a := drawAudit(t, all, id, at+1)
				if err := o.PutAudit(ctx, &a); err != nil {
					t.Fatal(err)
				}
				if err := o.EndFindings(ctx, id, "audit", w.now); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "is looked at") {
					view(ctx, t, w.keepers[0])
				}
				if a.Summary != nil && !a.Verification && !a.Part {
					newest[id] = a
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "deleted") == 0 {
				if err := w.remove(ctx, w.table, id); err != nil {
					t.Fatal(err)
				}
				delete(newest, id)
				delete(of, id)
			}
		}
		granted := rapid.SliceOfDistinct(rapid.SampledFrom(projects), rapid.ID).Draw(t, "granted")
		who := index.Caller{Sees: func(p string) bool { return slices.Contains(granted, p) }, Grants: fmt.Sprint(granted)}
		project := rapid.SampledFrom([]string{"", "p1"}).Draw(t, "of the project")
		chosen := index.InProject(project)
		if project == "" {
			chosen = nil
		}
		v := view(ctx, t, w.keepers[1])

		audits := map[model.ConnectionID]model.Audit{}
		unaudited, seen := 0, 0
		for id, p := range of {
			if !who.Sees(p) || project != "" && p != project {
				continue
			}
			seen++
			if a, whole := newest[id]; whole {
				audits[id] = a
			} else {
				unaudited++
			}
		}
		if diff := cmp.Diff(summed(all, audits, unaudited), v.Totals(rules, who, chosen)); diff != "" {
			t.Fatalf("(-want +got) %s", diff)
		}
		got := map[model.ConnectionID]bool{}
		q := index.ScoresQuery{Chosen: chosen, For: project, Limit: rapid.IntRange(1, 3).Draw(t, "limit")}
		for _, field := range rapid.SliceOfNDistinct(rapid.SampledFrom(index.ScoreSortable()), 0, 3, rapid.ID).Draw(t, "sort") {
			q.Sort = append(q.Sort, index.Order{Field: field, Desc: rapid.Bool().Draw(t, "desc")})
		}
		for {
			page, err := v.Scores(ctx, rules, plain{}, who, q)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != seen {
				t.Fatalf("in all %d, want %d", page.Total, seen)
			}
			for _, one := range page.Accounts {
				a, whole := audits[one.Connection]
				if got[one.Connection] || whole != (one.Audit != "") || one.Audit != a.ID {
					t.Fatalf("%+v again, or of another audit", one)
				}
				got[one.Connection] = true
				if !whole {
					continue
				}
				alone := summed(all, map[model.ConnectionID]model.Audit{one.Connection: a}, 0)
				failed := map[model.Severity]int{}
				for s, n := range alone.Failed {
					if n > 0 {
						failed[s] = n
					}
				}
				want := index.AccountScore{Connection: one.Connection, Name: "n" + string(one.Connection), Account: a.AccountID, Audit: a.ID, At: a.StartedAt, Score: alone.Score, Failed: failed, Resources: a.Summary.Resources}
				if p := of[one.Connection]; p != "" {
					want.Projects = []string{p}
				}
				if diff := cmp.Diff(want, one); diff != "" {
					t.Fatalf("(-want +got) %s", diff)
				}
				covered := v.Coverages(rules, who, []model.ConnectionID{one.Connection})
				if len(covered) != 1 || len(covered[0].Missing) != len(a.Summary.Gaps) {
					t.Fatalf("missing %+v, want %+v", covered, a.Summary.Gaps)
				}
				for name, counts := range covered[0].Services {
					if s := alone.Services[name]; s.Assessed != counts.Pass+counts.Fail || s.Applicable != s.Assessed+counts.NotAssessed {
						t.Fatalf("%s of %s: %+v, want %+v", name, one.Connection, counts, s)
					}
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
			other := q
			other.For += "!"
			if _, err := v.Scores(ctx, rules, plain{}, who, other); !errors.Is(err, index.ErrCursor) {
				t.Fatalf("a cursor of another query: %v", err)
			}
		}
		if len(got) != seen {
			t.Fatalf("%d accounts, want %d", len(got), seen)
		}
	})
}

// summed is what some audits amount to together, by the words of docs/score.md.
func summed(all *check.Catalog, audits map[model.ConnectionID]model.Audit, unaudited int) index.Totals {
	out := index.Totals{
		Accounts: len(audits), NotAudited: unaudited,
		Services: map[string]model.Score{}, Pillars: map[model.Pillar]model.Score{}, Failed: map[model.Severity]int{}, Checks: []index.CheckTotal{},
	}
	sum, failing, accounts := model.Tally{}, map[model.CheckID]int{}, map[model.CheckID]int{}
	for _, a := range audits {
		out.Resources += a.Summary.Resources
		if out.Oldest.IsZero() || a.StartedAt.Before(out.Oldest) {
			out.Oldest = a.StartedAt
		}
		if a.StartedAt.After(out.Newest) {
			out.Newest = a.StartedAt
		}
		own := model.Tally{}
		for id, c := range a.Summary.Tally {
			if today, known := all.Today(id); known {
				own[today.ID] = own[today.ID].Add(c)
			}
		}
		for id, c := range own {
			sum[id] = sum[id].Add(c)
			accounts[id]++
			if c.Fail > 0 {
				failing[id]++
			}
		}
	}
	texts, _ := all.Texts()
	var lines []score.Line
	byService, byPillar := map[string][]score.Line{}, map[model.Pillar][]score.Line{}
	for _, c := range all.Checks() {
		counts, had := sum[c.ID]
		if !had {
			continue
		}
		line := score.Line{Group: all.Group(c.ID), Severity: c.Severity, Counts: counts}
		lines = append(lines, line)
		byService[c.Service] = append(byService[c.Service], line)
		byPillar[texts[c.ID].Pillar] = append(byPillar[texts[c.ID].Pillar], line)
		out.Failed[c.Severity] += counts.Own()
		out.Checks = append(out.Checks, index.CheckTotal{Check: c.ID, Counts: counts, Accounts: accounts[c.ID], Failing: failing[c.ID]})
	}
	out.Score = score.Of(lines...)
	for name, l := range byService {
		out.Services[name] = score.Of(l...)
	}
	for name, l := range byPillar {
		out.Pillars[name] = score.Of(l...)
	}
	return out
}

// TestNeverAuditedIsNoScore: an account that was never audited is counted beside the score,
// and never as one of 100, or of 0.
func TestNeverAuditedIsNoScore(t *testing.T) {
	t.Parallel()
	_, rules := rulesOf(t)
	w := newWorld()
	if err := w.org(w.table).PutConnection(t.Context(), &model.Connection{ID: "c1", State: model.ConnectionPending}); err != nil {
		t.Fatal(err)
	}
	v, err := w.keepers[0].View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }}
	if all := v.Totals(rules, who, nil); all.NotAudited != 1 || all.Accounts != 0 || all.Score.Assessed != 0 {
		t.Errorf("%+v", all)
	}
	page, err := v.Scores(t.Context(), rules, plain{}, who, index.ScoresQuery{Limit: 1})
	if err != nil || len(page.Accounts) != 1 || page.Accounts[0].Audit != "" || page.Accounts[0].Score.Assessed != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

// wholeEstate is what an account of the whole catalogue counts, as most are: many checks for
// which nothing exists, and some with a few resources.
func wholeEstate(all *check.Catalog, n int) *index.Standing {
	r := rand.New(rand.NewPCG(uint64(n), 2)) //nolint:gosec // made up, and the same each time
	s := &index.Standing{Audit: "01JCQ0000000000000000000A1", At: began, Version: 3, Resources: 500, Tally: model.Tally{}}
	for _, c := range all.Default() {
		switch r.IntN(3) {
		case 0:
			s.Tally[c.ID] = model.Counts{NotApplicable: 1 + r.IntN(17)}
		case 1:
			s.Tally[c.ID] = model.Counts{Pass: r.IntN(40)}
		default:
			s.Tally[c.ID] = model.Counts{Pass: r.IntN(40), Fail: r.IntN(20)}
		}
	}
	return s
}

// TestStandingIsSmall bounds what a standing takes beside the findings.
func TestStandingIsSmall(t *testing.T) {
	t.Parallel()
	all, _ := rulesOf(t)
	none, err := index.Encode(index.Head{Connection: "c"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	with, err := index.Encode(index.Head{Connection: "c"}, wholeEstate(all, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(with) - len(none); n > 7*len(all.Default()) {
		t.Errorf("%d bytes for %d checks", n, len(all.Default()))
	}
}

// TestRefusedScores has what is asked for in vain refused, with the nearest word.
func TestRefusedScores(t *testing.T) {
	t.Parallel()
	_, rules := rulesOf(t)
	v, err := index.Load()
	if err != nil {
		t.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }}
	for name, q := range map[string]index.ScoresQuery{
		"no page":      {},
		"a large page": {Limit: index.MaxLimit + 1},
		"sorted twice": {Limit: 1, Sort: []index.Order{{Field: "score"}, {Field: "score", Desc: true}}},
	} {
		var refused *index.QueryError
		if _, err := v.Scores(t.Context(), rules, plain{}, who, q); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var unknown *check.UnknownError
	if _, err := v.Scores(t.Context(), rules, plain{}, who, index.ScoresQuery{Limit: 1, Sort: []index.Order{{Field: "scores"}}}); !errors.As(err, &unknown) || unknown.Nearest != "score" {
		t.Error(err)
	}
	if _, err := v.Scores(t.Context(), rules, plain{}, who, index.ScoresQuery{Limit: 1, Cursor: strings.Repeat("x", 9)}); !errors.Is(err, index.ErrCursor) {
		t.Error(err)
	}
}

// BenchmarkScores answers for 10,000 connections of the whole catalogue.
func BenchmarkScores(b *testing.B) {
	all, rules := rulesOf(b)
	var raw [][]byte
	for n := range benchConnections {
		one, err := index.Encode(index.Head{Connection: model.ConnectionID(fmt.Sprintf("c%05d", n)), Read: began}, wholeEstate(all, n), nil)
		if err != nil {
			b.Fatal(err)
		}
		raw = append(raw, one)
	}
	v, err := index.Load(raw...)
	if err != nil {
		b.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }}
	b.ReportMetric(float64(v.Bytes())/benchConnections, "B/connection")
	b.Run("organization", func(b *testing.B) {
		for b.Loop() {
			if v.Totals(rules, who, nil).Accounts != benchConnections {
				b.Fatal("too few")
			}
		}
	})
	page := func(b *testing.B, rules *index.Rules) {
		b.Helper()
		if _, err := v.Scores(b.Context(), rules, plain{}, who, index.ScoresQuery{Limit: 50}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("accounts-first", func(b *testing.B) {
		for b.Loop() {
			_, anew := rulesOf(b)
			page(b, anew)
		}
	})
	b.Run("accounts", func(b *testing.B) {
		page(b, rules)
		for b.Loop() {
			page(b, rules)
		}
	})
}
