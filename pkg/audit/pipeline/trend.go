package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TrendLine is what an audit amounts to that has a summary, in a line that outlives all else
// that is known of it.
func TrendLine(catalog *check.Catalog, a model.Audit) model.TrendLine {
	s := a.Summary
	line := model.TrendLine{
		Audit: a.ID, At: a.StartedAt.UTC(), Part: a.Part, Try: a.Retries, CloudArq: a.CloudArq, Scope: scopeDigest(a),
		Score: s.Score, Failed: s.Failed, Services: map[string]model.TrendService{}, Resources: s.Resources,
	}
	if a.CloudArq == version.String() { // else nobody knows how grave its checks were
		var checks []check.Check
		for _, id := range a.Checks {
			if c, known := catalog.Today(id); known {
				checks = append(checks, c)
			}
		}
		line.Rules = RulesDigest(checks, a.Options)
	}
	failed := map[string]int{}
	for id, counts := range s.Tally {
		if c, known := catalog.Today(id); known {
			failed[c.Service] += counts.Own()
		}
	}
	frameworks, _ := catalog.Frameworks() // that they are read is tested
	tally := maps.Clone(s.Wanted)
	if tally == nil {
		tally = model.Tally{}
	}
	for id, counts := range s.Tally {
		if c, known := catalog.Today(id); known {
			tally[c.ID] = tally[c.ID].Add(counts)
		}
	}
	line.Frameworks = Frameworks(frameworks, func(id model.CheckID) requirement.Seen {
		seen := requirement.Seen{Counts: tally[id]}
		if _, ran := tally[id]; !ran || a.Part && a.Narrowed { // or not in all regions
			seen.Missing = 1
		}
		return seen
	})
	for name, is := range s.Services {
		if service, applied := TrendService(is, failed[name]); applied {
			line.Services[name] = service
		}
	}
	return line
}

// Frameworks are what a line says of frameworks: those of which anything was looked at, nil if
// there are none.
func Frameworks(all []check.Framework, results requirement.Results) map[string][6]int {
	var lines map[string][6]int
	for _, f := range all {
		if !slices.ContainsFunc(f.Checks(), func(id model.CheckID) bool { return results(id).Counts.Total() > 0 }) {
			continue
		}
		if lines == nil {
			lines = map[string][6]int{}
		}
		lines[f.ID] = requirement.Tally(f, results)
	}
	return lines
}

// TrendService is what a line says of a service; false if nothing applied.
func TrendService(is model.Score, failed int) (model.TrendService, bool) {
	s := model.TrendService{Failed: failed}
	if is.Assessed > 0 {
		s.Score = &is.Value
	}
	return s, is.Applicable > 0
}

// RulesDigest is the same for the same checks with the same severities, in any order, where
// their options are set to the same.
func RulesDigest(checks []check.Check, options model.CheckOptions) string {
	var words []string
	for _, c := range checks {
		words = append(words, string(c.ID)+" "+string(c.Severity))
		for name, v := range options[c.ID] {
			words = append(words, string(c.ID)+" "+name+" "+v.String())
		}
	}
	return digestOfWords(words)
}

func scopeDigest(a model.Audit) string {
	return digestOfWords(append(slices.Clone(a.Regions), a.TrustedAccounts...))
}

// digestOfWords is short: it tells what one connection had from what it had before.
func digestOfWords(words []string) string {
	slices.Sort(words)
	h := sha256.New()
	for _, w := range slices.Compact(words) {
		_, _ = io.WriteString(h, w+"\n") // never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// noteTrend writes the line of an audit that ended, and asks for those of its organization.
func (p *Pipeline) noteTrend(ctx context.Context, org *store.Organization, audit model.Audit) error {
	if audit.Summary == nil {
		return nil
	}
	if err := MakeTrend(ctx, org, p.Catalog, audit.Connection); err != nil {
		return err
	}
	return org.PutTrendLine(ctx, audit.Connection, TrendLine(p.Catalog, audit))
}

// MakeTrend writes the lines of all audits of a connection from before there were lines, by
// what their records say. It does so once; whoever dies over it is followed by somebody who
// writes the same.
func MakeTrend(ctx context.Context, org *store.Organization, catalog *check.Catalog, connection model.ConnectionID) error {
	if made, err := org.TrendMade(ctx, connection); err != nil || made {
		return err
	}
	for cursor := ""; ; {
		page, next, err := org.AuditsPage(ctx, connection, cursor, 100)
		if err != nil {
			return err
		}
		for _, a := range page {
			if a.Summary == nil || !a.State.Ended() {
				continue
			}
			a, err := org.WholeAudit(ctx, a)
			if err != nil {
				return err
			}
			if err := org.PutTrendLine(ctx, connection, TrendLine(catalog, a)); err != nil {
				return err
			}
		}
		if cursor = next; cursor == "" {
			return org.PutTrendMade(ctx, connection)
		}
	}
}

// rollUpEvery is how often the trends of an organization are brought up to date at most: it
// takes the counts of all its accounts. Whoever reads them is told meanwhile how things
// stand now.
const rollUpEvery = time.Hour

// KindRollUp is the kind of a message that has the trends of an organization brought up to
// date. Its Connection, Audit and Task are "trend".
const KindRollUp = "trend"

// sendRollUp has the trends of an organization brought up to date, by who takes results;
// false is that somebody else did.
func (p *Pipeline) sendRollUp(ctx context.Context, org model.OrganizationID, now time.Time) (ours bool, err error) {
	if ours, err = p.Store.For(org).BeginRollUp(ctx, now, now); err != nil || !ours {
		return false, err
	}
	m := Message{Kind: KindRollUp, Version: messageVersion, Organization: org, Connection: KindRollUp, Audit: KindRollUp, Task: KindRollUp}
	if err := p.Results.Send(ctx, m.body()); err != nil {
		return true, fmt.Errorf("have the trends of organization %s brought up to date: %w", org, err)
	}
	return true, nil
}

// runRollUp takes a message of KindRollUp. One that comes twice does no harm.
func (p *Pipeline) runRollUp(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindRollUp, message.Body)
	if err != nil || p.RollUp == nil {
		return err
	}
	return p.rollUp(ctx, m.Organization)
}

func (p *Pipeline) rollUp(ctx context.Context, id model.OrganizationID) error {
	err := p.RollUp(ctx, id)
	if err == nil {
		err = p.Store.For(id).EndRollUp(ctx)
	}
	if err != nil {
		return fmt.Errorf("trends of organization %s: %w", id, err)
	}
	return nil
}

// RollUps brings the trends up to date that anybody asked for, and waits for no clock: it is
// for where no Tick follows.
func (p *Pipeline) RollUps(ctx context.Context) error {
	by := p.Now().Add(rollUpEvery)
	var problems []error
	for due, err := range p.Store.Chores(ctx, by) {
		ours := false
		if err == nil && due.Connection == "" {
			ours, err = p.Store.For(due.Organization).BeginRollUp(ctx, p.Now(), by)
		}
		if ours {
			err = p.rollUp(ctx, due.Organization)
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
