package trend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const org = "acme"

// The checks that all audits here have verdicts of.
const (
	grave = model.CheckID("s3-account-public-access-block") // high
	light = model.CheckID("kms-key-rotation")               // medium
)

// world is an organization whose accounts are audited.
type world struct {
	table   table.Table
	blobs   blob.Store
	catalog *check.Catalog
	now     time.Time
}

func newWorld(t interface{ Fatal(args ...any) }) *world {
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{blobs: memblob.New(), catalog: catalog, now: day(1)}
	w.table = memtable.New(func() time.Time { return w.now })
	return w
}

// day is noon of a day in May.
func day(n int) time.Time { return time.Date(2026, 5, n, 12, 0, 0, 0, time.UTC) }

func (w *world) maker(t table.Table) trend.Maker {
	records := store.New(t, w.catalog.Severity)
	return trend.Maker{
		Store: records, Catalog: w.catalog, Now: func() time.Time { return w.now },
		Index: &index.Keepers{Store: records, Blobs: w.blobs, Now: func() time.Time { return w.now }},
	}
}

func (w *world) org() *store.Organization { return store.New(w.table, nil).For(org) }

func (w *world) connect(t interface{ Fatal(args ...any) }, id model.ConnectionID, project string) {
	if err := w.org().PutConnection(context.Background(), &model.Connection{ID: id, Project: project, State: model.ConnectionActive}); err != nil {
		t.Fatal(err)
	}
}

// audit is one that ended, with so many failures of both checks, and one resource that
// passes each.
func (w *world) audit(connection model.ConnectionID, at time.Time, graves, lights int) model.Audit {
	id := ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy())
	a := model.Audit{
		ID: model.AuditID(id.String()), Connection: connection, AccountID: string(connection), State: model.AuditDone, StartedAt: at, EndedAt: at.Add(time.Minute),
		CloudArq: version.String(), Checks: []model.CheckID{grave, light}, Regions: []string{"eu-west-1"},
	}
	tally := model.Tally{grave: {Pass: 1, Fail: graves}, light: {Pass: 1, Fail: lights}}
	a.Summary = &model.Summary{Tally: tally, Services: map[string]model.Score{}, Failed: map[model.Severity]int{}, Resources: graves + lights + 2}
	var all []score.Line
	for _, id := range []model.CheckID{grave, light} {
		c, _ := w.catalog.Check(id)
		line := score.Line{Group: w.catalog.Group(id), Severity: c.Severity, Counts: tally[id]}
		all = append(all, line)
		a.Summary.Services[c.Service] = score.Of(line)
		a.Summary.Failed[c.Severity] += tally[id].Own()
	}
	a.Summary.Score = score.Of(all...)
	return a
}

// ended writes what the end of an audit writes, as the pipeline does.
func (w *world) ended(ctx context.Context, t table.Table, a model.Audit) error {
	m := w.maker(t)
	o := m.Store.For(org)
	there, err := o.Audit(ctx, a.Connection, a.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	a.Version = there.Version
	if err := o.PutAudit(ctx, &a); err != nil {
		return err
	}
	p := pipeline.Pipeline{Store: m.Store, Catalog: w.catalog, Index: m.Index, RollUp: m.RollUp, Now: m.Now}
	if err := p.Close(ctx, org, a.Connection, a.ID); err != nil {
		return err
	}
	return p.RollUps(ctx)
}

func (w *world) done(t *testing.T, a model.Audit) {
	t.Helper()
	w.now = a.EndedAt
	if err := w.ended(t.Context(), w.table, a); err != nil {
		t.Fatal(err)
	}
}

// short is a point in a few words.
func short(points []trend.Point) (words []string) {
	for _, p := range points {
		is := "none"
		if p.Score != nil {
			is = fmt.Sprint(*p.Score)
		}
		s := fmt.Sprintf("%s %s, %d+%d failed", cmpOr(p.Day, p.AsOf.Format(time.DateOnly)), is, p.Failed.High, p.Failed.Medium)
		if p.Accounts > 0 || p.NotAudited > 0 {
			s += fmt.Sprintf(", %d accounts and %d not audited", p.Accounts, p.NotAudited)
		}
		if p.Carried {
			s += ", carried"
		}
		if p.Part {
			s += ", part"
		}
		if len(p.Breaks) > 0 {
			s += fmt.Sprint(", ", p.Breaks)
		}
		words = append(words, s)
	}
	return words
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (w *world) check(t *testing.T, what string, read func(q trend.Query) (trend.Series, error), q trend.Query, want ...string) {
	t.Helper()
	for _, limit := range []int{0, 1, 2} { // in one page, and in many
		q.Limit, q.After = limit, ""
		var points []trend.Point
		for {
			page, err := read(q)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			points = append(points, page.Points...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if diff := cmp.Diff(want, short(points)); diff != "" {
			t.Errorf("%s by %d (-want +got):\n%s", what, limit, diff)
		}
	}
}

func (w *world) connection(t *testing.T, id model.ConnectionID) func(trend.Query) (trend.Series, error) {
	return func(q trend.Query) (trend.Series, error) {
		return w.maker(w.table).OfConnection(t.Context(), org, id, q)
	}
}

func (w *world) project(t *testing.T, name string) func(trend.Query) (trend.Series, error) {
	return func(q trend.Query) (trend.Series, error) {
		return w.maker(w.table).OfProject(t.Context(), org, name, q)
	}
}

// TestThreeAudits: known changes give exactly the series that they should, by audit, by day,
// of the account, its project and the organization; also when everything else that is known
// of the first of them is gone.
func TestThreeAudits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(t, "c1", "shop")
	w.connect(t, "c2", "")
	w.done(t, w.audit("c1", day(3), 1, 1))
	part := w.audit("c1", day(3).Add(time.Hour), 0, 9)
	part.Part = true
	w.done(t, part)
	w.done(t, w.audit("c1", day(3).Add(2*time.Hour), 1, 0))
	w.done(t, w.audit("c2", day(5), 0, 1))
	other := w.audit("c1", day(6), 0, 0)
	other.Regions = append(other.Regions, "eu-west-2")
	w.done(t, other)
	w.now = day(7)

	w.check(t, "by audit", w.connection(t, "c1"), trend.Query{Step: trend.ByAudit},
		"2026-05-03 25, 1+1 failed", "2026-05-03 68.3, 0+9 failed, part", "2026-05-03 50, 1+0 failed", "2026-05-06 100, 0+0 failed, [other regions or trusted accounts than before]")
	w.check(t, "some audits", w.connection(t, "c1"), trend.Query{Step: trend.ByAudit, From: day(3).Add(2 * time.Hour), To: day(6)}, "2026-05-03 50, 1+0 failed")
	w.check(t, "by day", w.connection(t, "c1"), trend.Query{Step: trend.ByDay},
		"2026-05-03 50, 1+0 failed", "2026-05-04 50, 1+0 failed, carried", "2026-05-05 50, 1+0 failed, carried",
		"2026-05-06 100, 0+0 failed, [other regions or trusted accounts than before]", "2026-05-07 100, 0+0 failed, carried")
	w.check(t, "some days", w.connection(t, "c1"), trend.Query{Step: trend.ByDay, From: day(5), To: day(6).Add(-12 * time.Hour)}, "2026-05-05 50, 1+0 failed, carried")
	w.check(t, "the project", w.project(t, "shop"), trend.Query{Step: trend.ByDay, To: day(6)},
		"2026-05-03 50, 1+0 failed, 1 accounts and 0 not audited", "2026-05-04 50, 1+0 failed, 1 accounts and 0 not audited, carried",
		"2026-05-05 50, 1+0 failed, 1 accounts and 0 not audited, carried", "2026-05-06 100, 0+0 failed, 1 accounts and 0 not audited")
	w.check(t, "the organization", w.project(t, ""), trend.Query{Step: trend.ByDay},
		"2026-05-03 50, 1+0 failed, 1 accounts and 1 not audited", "2026-05-04 50, 1+0 failed, 1 accounts and 1 not audited, carried",
		"2026-05-05 33.3, 1+1 failed, 2 accounts and 0 not audited", "2026-05-06 77.7, 0+1 failed, 2 accounts and 0 not audited",
		"2026-05-07 77.7, 0+1 failed, 2 accounts and 0 not audited, carried")
	w.check(t, "nobody's project", w.project(t, "none"), trend.Query{Step: trend.ByDay})
}

// TestDaysAreThoseOfTheAudits draws audits of some accounts, of which who ends them dies at
// any request, and everything is done twice: the days are sums over the newest audits at
// their ends.
func TestDaysAreThoseOfTheAudits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		w := newWorld(t)
		projects := map[model.ConnectionID]string{"c1": "shop", "c2": "shop", "c3": ""}
		for id, p := range projects {
			w.connect(t, id, p)
		}
		var audits []model.Audit
		at := day(1)
		for n := range rapid.IntRange(1, 7).Draw(t, "audits") {
			at = at.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
			a := w.audit(rapid.SampledFrom([]model.ConnectionID{"c1", "c2", "c3"}).Draw(t, "of"), at, rapid.IntRange(0, 3).Draw(t, "graves"), rapid.IntRange(0, 3).Draw(t, "lights"))
			a.Part = n > 0 && rapid.IntRange(0, 4).Draw(t, "part") == 0
			w.now = a.EndedAt
			if rapid.Bool().Draw(t, "dies") {
				dying := mortal.Dies(w.table, int64(rapid.IntRange(1, 45).Draw(t, "at")), rapid.Bool().Draw(t, "after"))
				if err := w.ended(ctx, dying, a); err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
			}
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				if err := w.ended(ctx, w.table, a); err != nil {
					t.Fatal(err)
				}
			}
			audits = append(audits, a)
		}
		if rapid.Bool().Draw(t, "an old message comes again") {
			if err := w.ended(ctx, w.table, rapid.SampledFrom(audits).Draw(t, "which")); err != nil {
				t.Fatal(err)
			}
		}
		w.now = at.Add(48 * time.Hour)
		for project, of := range map[string][]model.ConnectionID{"": {"c1", "c2", "c3"}, "shop": {"c1", "c2"}} {
			var want []string
			first := time.Time{}
			for d := day(1); d.Format(time.DateOnly) <= w.now.Format(time.DateOnly); d = d.AddDate(0, 0, 1) {
				newest, began := map[model.ConnectionID]model.Audit{}, false
				for _, a := range audits {
					if slices.Contains(of, a.Connection) && !a.Part && a.StartedAt.Format(time.DateOnly) <= d.Format(time.DateOnly) {
						newest[a.Connection] = a
						began = began || a.StartedAt.Format(time.DateOnly) == d.Format(time.DateOnly)
					}
				}
				if len(newest) == 0 {
					continue
				}
				if first.IsZero() {
					first = d
				}
				graves, lights := model.Counts{}, model.Counts{}
				for _, a := range newest {
					graves, lights = graves.Add(a.Summary.Tally[grave]), lights.Add(a.Summary.Tally[light])
				}
				sum := w.audit("sum", d, 0, 0)
				value := score.Of(score.Line{Severity: model.High, Counts: graves}, score.Line{Severity: model.Medium, Counts: lights})
				word := fmt.Sprintf("%s %v, %d+%d failed, %d accounts and %d not audited", sum.StartedAt.Format(time.DateOnly), value.Value, graves.Fail, lights.Fail, len(newest), len(of)-len(newest))
				if !began {
					word += ", carried"
				}
				want = append(want, word)
			}
			got, err := w.maker(w.table).OfProject(ctx, org, project, trend.Query{Step: trend.ByDay})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, short(got.Points)); diff != "" {
				t.Fatalf("%q (-want +got):\n%s", project, diff)
			}
		}
	})
}

// TestBreaks: where the rules changed the trend says so, of the account as of the sums.
func TestBreaks(t *testing.T) {
	t.Parallel()
	before := model.TrendLine{CloudArq: "1.0.0", Rules: "a", Scope: "s", Score: model.Score{Version: 3}}
	for name, c := range map[string]struct {
		change func(*model.TrendLine)
		breaks int
	}{
		"nothing":             {func(*model.TrendLine) {}, 0},
		"the score":           {func(l *model.TrendLine) { l.Score.Version = 4 }, 1},
		"the version":         {func(l *model.TrendLine) { l.CloudArq = "1.1.0" }, 1},
		"a severity":          {func(l *model.TrendLine) { l.Rules = "b" }, 1},
		"severities unknown":  {func(l *model.TrendLine) { l.Rules = "" }, 0},
		"a region":            {func(l *model.TrendLine) { l.Scope = "t" }, 1},
		"version and checks":  {func(l *model.TrendLine) { l.CloudArq, l.Rules = "", "b" }, 2},
		"what the account is": {func(l *model.TrendLine) { l.Score.Value, l.Resources = 1, 2 }, 0},
	} {
		now := before
		c.change(&now)
		if got := trend.Breaks(before, now); len(got) != c.breaks {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestLinesAreSmall: years of them cost nothing.
func TestLinesAreSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.audit("111111111111", day(1), 100, 1000)
	for _, s := range w.catalog.Services() { // more than any account uses
		a.Summary.Services[s.Name] = model.Score{Value: 59.5, Assessed: 1, Applicable: 1}
	}
	raw, err := json.Marshal(pipeline.TrendLine(w.catalog, a))
	frameworks, _ := w.catalog.Frameworks()
	if err != nil || len(raw) > 500+25*len(w.catalog.Services())+50*len(frameworks) {
		t.Errorf("%d bytes for %d services and %d frameworks, %v", len(raw), len(w.catalog.Services()), len(frameworks), err)
	}
	var line model.TrendLine
	if err := json.Unmarshal(raw, &line); err != nil || *line.Services["kms"].Score != 59.5 || line.Services["kms"].Failed != 1000 {
		t.Errorf("%+v, %v", line, err)
	}
}

// TestRemoved: what is deleted takes its trend with it, and the sums go on without it.
func TestRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(t, "c1", "shop")
	w.connect(t, "c2", "shop")
	w.done(t, w.audit("c1", day(3), 1, 1))
	w.done(t, w.audit("c2", day(4), 0, 0))
	w.now = day(6)
	m := w.maker(w.table)
	p := pipeline.Pipeline{Store: m.Store, Catalog: w.catalog, Evidence: w.blobs, Index: m.Index, RollUp: m.RollUp, Now: m.Now}
	c, err := w.org().Connection(t.Context(), "c2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Delete(t.Context(), model.Change{}, org, c); err != nil {
		t.Fatal(err)
	}
	if err := p.Purge(t.Context(), org, "c2"); err != nil {
		t.Fatal(err)
	}
	for line, err := range w.org().TrendLines(t.Context(), "c2", "") {
		t.Errorf("left: %+v, %v", line, err)
	}
	if err := p.RollUps(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.check(t, "the project", w.project(t, "shop"), trend.Query{Step: trend.ByDay, From: day(4)},
		"2026-05-04 33.3, 1+1 failed, 2 accounts and 0 not audited", "2026-05-05 33.3, 1+1 failed, 2 accounts and 0 not audited, carried", "2026-05-06 25, 1+1 failed, 1 accounts and 0 not audited")
	shop := model.Project{Name: "shop"}
	if err := w.org().CreateProject(t.Context(), model.Change{}, &shop, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.org().RemoveProject(t.Context(), model.Change{}, shop); err != nil {
		t.Fatal(err)
	}
	if _, err := w.org().LastRollUp(t.Context(), "shop", time.Time{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of a project that was removed: %v", err)
	}
}
