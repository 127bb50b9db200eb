// Package trend is how accounts, projects and the organization stood over time: it makes the
// lines of a day of several accounts together, and reads lines as series of points.
package trend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Maker makes the lines of several accounts together.
type Maker struct {
	Index   *index.Keepers
	Store   *store.Store
	Catalog *check.Catalog
	Now     func() time.Time
}

// everybody sees all connections, since a line of the organization is of all of them.
var everybody = index.Caller{Sees: func(string) bool { return true }}

// RollUp writes the lines of an organization and of its projects, where they changed. Doing
// so again changes nothing. It is a pipeline's RollUp.
func (m Maker) RollUp(ctx context.Context, id model.OrganizationID) error {
	org := m.Store.For(id)
	view, err := m.Index.For(id).View(ctx)
	if err != nil {
		return err
	}
	rules, err := index.NewRules(m.Catalog)
	if err != nil {
		return err
	}
	projects := []string{""} // the organization
	for c := range view.Connections(everybody) {
		projects = append(projects, c.Projects...)
	}
	for p, err := range org.Projects(ctx) {
		if err != nil {
			return err
		}
		projects = append(projects, p.Name) // of which all connections may have gone
	}
	slices.Sort(projects)
	for _, project := range slices.Compact(projects) {
		now, changed, err := m.now(ctx, org, view, rules, project)
		if err == nil && changed {
			err = org.PutRollUp(ctx, project, now.Day, now.TrendLine)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// now is the line that a project, or the organization, would have if it was written now;
// false if that is the last one, or there is nothing to say.
func (m Maker) now(ctx context.Context, org *store.Organization, view *index.View, rules *index.Rules, project string) (store.RollUp, bool, error) {
	var chosen index.Chosen
	if project != "" {
		chosen = index.InProject(project)
	}
	line := m.line(view.Totals(rules, everybody, chosen))
	last, err := org.LastRollUp(ctx, project, time.Time{})
	if errors.Is(err, store.ErrNotFound) {
		return store.RollUp{Day: dayOf(line.At), TrendLine: line}, line.Accounts > 0, nil
	}
	if err != nil {
		return last, false, err
	}
	return follows(last, line, m.Now())
}

// follows is the day that a line belongs to which comes after another: that of its newest
// audit, if the other did not have that; and else today, since an account was removed or
// moved, or the rules are others. So a line does not depend on when it is made, but for
// changes of which nobody knows when they were.
func follows(last store.RollUp, line model.TrendLine, now time.Time) (store.RollUp, bool, error) {
	if line.At.IsZero() { // no account is left
		line.At = last.At
	}
	before, err := json.Marshal(last.TrendLine)
	if err != nil {
		return last, false, fmt.Errorf("compare two days: %w", err)
	}
	after, err := json.Marshal(line)
	if err != nil || bytes.Equal(before, after) {
		return last, false, err
	}
	day := dayOf(now)
	if line.At.After(last.At) {
		day = dayOf(line.At)
	}
	if day.Before(last.Day) { // by a clock that is behind
		day = last.Day
	}
	return store.RollUp{Day: day, TrendLine: line}, true, nil
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// line is what accounts amount to together, by the rules of today.
func (m Maker) line(t index.Totals) model.TrendLine {
	line := model.TrendLine{
		At: t.Newest, CloudArq: version.String(), Score: t.Score, Failed: t.Failed, Services: map[string]model.TrendService{}, Resources: t.Resources,
		Accounts: t.Accounts, NotAudited: t.NotAudited,
	}
	failed := map[string]int{}
	var checks []check.Check
	for _, one := range t.Checks {
		c, _ := m.Catalog.Check(one.Check) // as rules are made of them
		checks = append(checks, c)
		failed[c.Service] += one.Counts.Own()
	}
	line.Rules = pipeline.RulesDigest(checks, check.Effective(checks, nil))
	seen := map[model.CheckID]index.CheckTotal{}
	for _, one := range slices.Concat(t.Checks, t.Wanted) {
		seen[one.Check] = one
	}
	frameworks, _ := m.Catalog.Frameworks() // that they are read is tested
	line.Frameworks = pipeline.Frameworks(frameworks, func(id model.CheckID) requirement.Seen {
		return requirement.Seen{Counts: seen[id].Counts, Missing: t.Accounts + t.NotAudited - seen[id].Accounts}
	})
	for name, is := range t.Services {
		if service, applied := pipeline.TrendService(is, failed[name]); applied {
			line.Services[name] = service
		}
	}
	return line
}
