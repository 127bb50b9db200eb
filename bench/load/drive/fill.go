// Package drive makes a data directory with many findings, serves it, writes to it as people,
// programs and audits do, and compares what the server lists with what the table has.
package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Size is how much there is.
type Size struct{ Connections, Findings int }

// What findings are made of, beside the checks.
var (
	regions  = []string{"eu-west-1", "eu-central-1", "us-east-1", "us-west-2"}
	projects = []string{"shop", "billing", "data", "platform", "search"}
	words    = []string{"web", "orders", "billing", "logs", "search"}
)

// began is when everything was found first, or after.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func connectionID(n int) model.ConnectionID { return model.ConnectionID(fmt.Sprintf("load%05d", n)) }
func accountOf(n int) string                { return strconv.Itoa(100_000_000_000 + n) }

// Fill writes audited connections, each with its share of the findings, into the data
// directory of a state that has none, and makes the index of them.
func Fill(ctx context.Context, s *local.State, dir string, size Size) (err error) {
	file, err := sqlite.Open(ctx, filepath.Join(dir, "state.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	many := &gathered{Table: file}
	findings := store.New(many, s.Catalog.Severity).For(local.Organization)
	for n := range size.Connections {
		share := size.Findings*(n+1)/size.Connections - size.Findings*n/size.Connections
		if err := connect(ctx, s.Records, n); err != nil {
			return err
		}
		tally, err := fillFindings(ctx, findings, s.Catalog.Checks(), n, share)
		if err != nil {
			return err
		}
		if err := many.flush(ctx); err != nil {
			return err
		}
		for service := range tally {
			if err := s.Records.PutScope(ctx, connectionID(n), service, &store.Scope{Parts: 1, Try: 1, Done: true}); err != nil {
				return err
			}
		}
		if err := conclude(ctx, s.Records, n, share, tally); err != nil {
			return err
		}
	}
	view, err := s.Index().For(local.Organization).View(ctx)
	if err == nil && view.Len() != size.Findings {
		err = fmt.Errorf("the index has %d findings, want %d", view.Len(), size.Findings)
	}
	return err
}

func connect(ctx context.Context, records *store.Organization, n int) error {
	c := model.Connection{
		ID: connectionID(n), Name: fmt.Sprintf("%s-%05d", words[n%len(words)], n), AccountID: accountOf(n), State: model.ConnectionActive,
		Project: projects[n%len(projects)], CreatedAt: began,
	}
	return records.PutConnection(ctx, &c)
}

// tallies are what became of checks, by service.
type tallies map[string]model.Tally

// fillFindings writes the findings of a connection: some of each resource, of checks that
// there are.
func fillFindings(ctx context.Context, records *store.Organization, checks []check.Check, n, findings int) (tallies, error) {
	r := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // made up, and the same each time
	all := tallies{}
	for i := range findings {
		c := checks[(i*7+n)%len(checks)]
		region := regions[r.IntN(len(regions))]
		ref := model.Ref{
			ARN:     fmt.Sprintf("arn:aws:%s:%s:%s:thing/%s-%06d", c.Service, region, accountOf(n), words[r.IntN(len(words))], i),
			Account: accountOf(n), Region: region, Name: fmt.Sprintf("thing-%d", i/3),
		}
		f := model.Finding{
			ID: model.NewFindingID(c.ID, ref), Check: c.ID, Service: c.Service, Kind: c.Kind, Severity: c.Severity, State: model.FindingOpen, Connection: connectionID(n),
			Resource: ref, Reason: fmt.Sprintf("the setting is not on (%d)", r.IntN(1000)), FirstSeen: began.AddDate(0, 0, r.IntN(300)), History: []model.Event{},
		}
		counts := model.Counts{Fail: 1}
		if r.IntN(4) == 0 {
			f.State, f.Why, f.ResolvedAt = model.FindingResolved, model.WhyFixed, began.AddDate(0, 0, 310)
			counts = model.Counts{Pass: 1}
		}
		if all[c.Service] == nil {
			all[c.Service] = model.Tally{}
		}
		all[c.Service][c.ID] = all[c.Service][c.ID].Add(counts)
		if err := records.PutFinding(ctx, c.Service, 1, f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// conclude writes the audit that the findings are of, and says that all are written.
func conclude(ctx context.Context, records *store.Organization, n, findings int, found tallies) error {
	whole := model.Tally{}
	for _, tally := range found {
		for id, counts := range tally {
			whole[id] = counts
		}
	}
	a := model.Audit{
		ID: local.NewAuditID(), Connection: connectionID(n), AccountID: accountOf(n), State: model.AuditDone, StartedAt: began.AddDate(0, 0, 310),
		Summary: &model.Summary{Tally: whole, Resources: findings / 3, Score: model.Score{Version: model.ScoreVersion}},
	}
	if err := records.PutAudit(ctx, &a); err != nil {
		return err
	}
	return records.EndFindings(ctx, a.Connection, string(a.ID), time.Now())
}

// gathered writes many items at once, which nobody reads before flush.
type gathered struct {
	table.Table
	items []table.Item
}

// Put implements table.Table for items that are new.
func (g *gathered) Put(_ context.Context, it table.Item) error {
	g.items = append(g.items, it)
	return nil
}

func (g *gathered) flush(ctx context.Context) error {
	err := g.PutMany(ctx, g.items)
	g.items = g.items[:0]
	return err
}
