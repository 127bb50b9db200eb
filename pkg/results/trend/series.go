package trend

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Step is how far two points of a series are apart.
type Step string

// The steps of a series.
const (
	ByAudit Step = "audit" // a point for each audit
	ByDay   Step = "day"   // a point for each day (UTC): how things stood at its end
)

// MaxLimit is the most points of a page.
const MaxLimit = 500

// Query asks for a part of a series.
type Query struct {
	// From is included and To is not; a day is, in which they lie. Zero is no bound.
	From, To time.Time
	Step     Step
	Limit    int // up to MaxLimit
	// After is where a page before ended.
	After string
	// Framework is one of which points say how its requirements stood; empty is none.
	Framework string
}

// Bounds reads the ends of a series: days, or moments in RFC 3339. A day is included, also
// as the last. The error is for who wrote them.
func Bounds(from, to string) (begin, end time.Time, err error) {
	if begin, _, err = bound(from); err != nil {
		return begin, end, err
	}
	end, isDay, err := bound(to)
	if isDay {
		end = end.AddDate(0, 0, 1)
	}
	if err == nil && !begin.IsZero() && !end.IsZero() && !begin.Before(end) {
		err = fmt.Errorf("%s is not before %s", from, to)
	}
	return begin, end, err
}

func bound(text string) (at time.Time, isDay bool, err error) {
	if text == "" {
		return at, false, nil
	}
	if at, err = time.Parse(time.DateOnly, text); err == nil {
		return at, true, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		return at, false, fmt.Errorf("%q is neither a day, as 2026-05-01, nor a moment in RFC 3339", text)
	}
	return at.UTC(), false, nil
}

// Point is how an account, a project or the organization stood.
type Point struct {
	Day     string        `json:"day,omitempty" doc:"Of a series by day, in UTC"`
	Audit   model.AuditID `json:"audit,omitempty" doc:"The audit that says so; absent of several accounts together"`
	AsOf    time.Time     `json:"as_of" doc:"When that audit began, of several accounts the newest"`
	Carried bool          `json:"carried" doc:"No audit began on the day: the values are those of the day before"`
	Part    bool          `json:"part" doc:"The audit was to look at less than the connection asks for, and does not say how the account stands. A series by day leaves it out"`
	shape.Scored
	Failed       shape.Failures             `json:"failed"`
	Services     map[string]ServicePoint    `json:"services" doc:"By service, those of which anything applied"`
	Resources    int                        `json:"resources"`
	Accounts     int                        `json:"accounts,omitempty" doc:"Of several accounts: how many were audited"`
	NotAudited   int                        `json:"not_audited,omitempty" doc:"Of several accounts: how many never were, and are in no number"`
	Requirements *compliance.RequirementsIn `json:"requirements,omitempty" doc:"How many requirements of the framework that was asked for were in which state, by what was assessed alone; absent if none was asked for, or nothing of it was looked at"`
	CloudArq     string                     `json:"cloudarq" doc:"Version of CloudArq"`
	Rules        string                     `json:"rules" doc:"Digest of the checks and their severities; empty if these are not known any more"`
	Breaks       []string                   `json:"breaks" doc:"Why the point is not to be compared with the one before: the rules changed, not the account"`
}

// ServicePoint is how a service stood.
type ServicePoint struct {
	Score  *float64 `json:"score" doc:"null if nothing was assessed"`
	Failed int      `json:"failed" doc:"Open failures"`
}

// Series is a page of points, the oldest first.
type Series struct {
	Points []Point
	Next   string // the next page's After; empty after the last
}

func newPoint(line model.TrendLine, before *model.TrendLine, framework string) Point {
	p := Point{
		Audit: line.Audit, AsOf: line.At, Part: line.Part, Scored: shape.NewScored(line.Score), Failed: shape.NewFailures(line.Failed), Services: map[string]ServicePoint{},
		Resources: line.Resources, Accounts: line.Accounts, NotAudited: line.NotAudited, CloudArq: line.CloudArq, Rules: line.Rules, Breaks: []string{},
	}
	for name, s := range line.Services {
		p.Services[name] = ServicePoint(s)
	}
	if n, known := line.Frameworks[framework]; known {
		in := compliance.RequirementsIn{}
		in.Failing, in.NotAssessed, in.PartlyChecked, in.NoCheck, in.Passing, in.NotApplicable = n[0], n[1], n[2], n[3], n[4], n[5]
		p.Requirements = &in
	}
	if before != nil && !line.Part {
		p.Breaks = append(p.Breaks, Breaks(*before, line)...)
	}
	return p
}

// Breaks says in words why two lines are not to be compared: what changed between them may
// be the rules, and not the account.
func Breaks(before, now model.TrendLine) (breaks []string) {
	if before.Score.Version != now.Score.Version {
		breaks = append(breaks, fmt.Sprintf("version %d of the score before, version %d now", before.Score.Version, now.Score.Version))
	}
	if before.CloudArq != now.CloudArq {
		breaks = append(breaks, fmt.Sprintf("CloudArq %s before, %s now", unknown(before.CloudArq), unknown(now.CloudArq)))
	}
	if before.Rules != now.Rules && before.Rules != "" && now.Rules != "" {
		breaks = append(breaks, "other checks or severities than before")
	}
	if before.Scope != now.Scope {
		breaks = append(breaks, "other regions or trusted accounts than before")
	}
	return breaks
}

func unknown(version string) string {
	if version == "" {
		return "of an unknown version"
	}
	return version
}

// OfConnection is the series of a connection. Lines of audits from before there were lines
// are made first, if nobody did.
func (m Maker) OfConnection(ctx context.Context, id model.OrganizationID, connection model.ConnectionID, q Query) (Series, error) {
	org := m.Store.For(id)
	if err := pipeline.MakeTrend(ctx, org, m.Catalog, connection); err != nil {
		return Series{}, err
	}
	if q.Step == ByAudit {
		return audits(ctx, org, connection, q)
	}
	from, err := q.firstDay()
	if err != nil {
		return Series{}, err
	}
	before, err := lastWhole(org.TrendLinesBefore(ctx, connection, idAt(from)))
	if err != nil {
		return Series{}, err
	}
	return q.days(from, before, wholeDays(org.TrendLines(ctx, connection, idAt(from))), m.Now())
}

// idAt comes before the ids of all audits that began then, or later.
func idAt(t time.Time) model.AuditID {
	if t.Before(time.UnixMilli(1)) {
		t = time.UnixMilli(1)
	}
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t)) // of no year before 10889
	return model.AuditID(id.String())
}

func lastWhole(lines iter.Seq2[model.TrendLine, error]) (*model.TrendLine, error) {
	for line, err := range lines {
		if err != nil {
			return nil, err
		}
		if !line.Part {
			return &line, nil
		}
	}
	return nil, nil
}

// wholeDays are the whole lines as those of their days.
func wholeDays(lines iter.Seq2[model.TrendLine, error]) iter.Seq2[store.RollUp, error] {
	return func(yield func(store.RollUp, error) bool) {
		for line, err := range lines {
			if (err != nil || !line.Part) && !yield(store.RollUp{Day: dayOf(line.At), TrendLine: line}, err) {
				return
			}
		}
	}
}

func audits(ctx context.Context, org *store.Organization, connection model.ConnectionID, q Query) (Series, error) {
	after := idAt(q.From)
	if q.After != "" {
		after = model.AuditID(q.After)
	}
	s := Series{Points: []Point{}}
	before, err := lastWhole(org.TrendLinesBefore(ctx, connection, after+"!")) // and after itself
	if err != nil {
		return s, err
	}
	for line, err := range org.TrendLines(ctx, connection, after) {
		switch {
		case err != nil:
			return s, err
		case !q.To.IsZero() && !line.At.Before(q.To):
			return s, nil
		case len(s.Points) == q.limit():
			s.Next = string(s.Points[len(s.Points)-1].Audit)
			return s, nil
		}
		s.Points = append(s.Points, newPoint(line, before, q.Framework))
		if !line.Part {
			before = &line
		}
	}
	return s, nil
}

// OfProject is the series of a project by day, or with "" of the organization. What changed
// since a day was written last is in it already.
func (m Maker) OfProject(ctx context.Context, id model.OrganizationID, project string, q Query) (Series, error) {
	org := m.Store.For(id)
	from, err := q.firstDay()
	if err != nil {
		return Series{}, err
	}
	var before *model.TrendLine
	if !from.IsZero() {
		last, err := org.LastRollUp(ctx, project, from)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Series{}, err
		}
		if err == nil {
			before = &last.TrendLine
		}
	}
	view, err := m.Index.For(id).View(ctx)
	if err != nil {
		return Series{}, err
	}
	rules, err := index.NewRules(m.Catalog)
	if err != nil {
		return Series{}, err
	}
	now, changed, err := m.now(ctx, org, view, rules, project)
	if err != nil {
		return Series{}, err
	}
	days := org.RollUps(ctx, project, from)
	if changed {
		if now.Day.Before(from) {
			before = &now.TrendLine
		} else {
			days = followed(days, now)
		}
	}
	return q.days(from, before, days, m.Now())
}

// followed are days with another after them.
func followed(days iter.Seq2[store.RollUp, error], last store.RollUp) iter.Seq2[store.RollUp, error] {
	return func(yield func(store.RollUp, error) bool) {
		for d, err := range days {
			if !yield(d, err) {
				return
			}
		}
		yield(last, nil)
	}
}

func (q Query) limit() int {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return MaxLimit
	}
	return q.Limit
}

// firstDay is where a page by day begins; zero is with the first line.
func (q Query) firstDay() (time.Time, error) {
	if q.After == "" {
		if q.From.IsZero() {
			return q.From, nil
		}
		return dayOf(q.From), nil
	}
	day, err := time.Parse(time.DateOnly, q.After)
	if err != nil {
		return day, fmt.Errorf("a series goes on after %.40q, which is no day", q.After)
	}
	return day.AddDate(0, 0, 1), nil
}

// days makes a point of each day: the last line of the day, or of one before. lines are in
// the order of their days, of which one may have several.
func (q Query) days(from time.Time, before *model.TrendLine, lines iter.Seq2[store.RollUp, error], now time.Time) (Series, error) {
	end := dayOf(now).AddDate(0, 0, 1)
	if !q.To.IsZero() && q.To.Before(end) {
		if end = dayOf(q.To); q.To.After(end) {
			end = end.AddDate(0, 0, 1)
		}
	}
	s := Series{Points: []Point{}}
	day, last := from, before
	var of *model.TrendLine // the last line of the day so far
	// pass ends the days before another, and reports whether there is room for that.
	pass := func(until time.Time) bool {
		for ; day.Before(until); day = day.AddDate(0, 0, 1) {
			if of == nil && last == nil {
				day = until
				return true
			}
			if len(s.Points) == q.limit() {
				s.Next = s.Points[len(s.Points)-1].Day
				return false
			}
			var p Point
			if of == nil {
				p = newPoint(*last, nil, q.Framework)
				p.Carried = true
			} else {
				p = newPoint(*of, last, q.Framework)
				last, of = of, nil
			}
			p.Day = day.Format(time.DateOnly)
			s.Points = append(s.Points, p)
		}
		return true
	}
	for line, err := range lines {
		if err != nil {
			return s, err
		}
		if !line.Day.Before(end) {
			break
		}
		if day.IsZero() {
			day = line.Day
		}
		if !pass(line.Day) {
			return s, nil
		}
		of = &line.TrendLine
	}
	pass(end)
	return s, nil
}
