package local

import (
	"context"
	"errors"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Lists answers lists of findings, of the whole state.
func (s *State) Lists() *findings.Lists { return s.lists }

// Recorded is an audit with what it recorded.
func (s *State) Recorded(ctx context.Context, audit model.Audit) (recorded.Audit, error) {
	out := recorded.Audit{Audit: audit, Evidence: s.Evidence, Owner: shape.Owner{Connection: audit.Connection, Project: audit.Project}}
	var err error
	if out.Tasks, err = s.Tasks(ctx, audit); err != nil {
		return out, err
	}
	c, err := s.Records.AnyConnection(ctx, audit.Connection)
	if err == nil {
		out.Owner = shape.OwnerOf(c)
	} else if !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	out.Shaper, err = shape.NewShaper(s.Catalog)
	return out, err
}

// Latest is the newest audit with a summary of every connection, by account.
func (s *State) Latest(ctx context.Context) ([]model.Audit, error) {
	connections, err := s.Records.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var latest []model.Audit
	for _, c := range connections {
		a, err := s.Records.LatestAudit(ctx, c.ID, func(a model.Audit) bool { return a.Summary != nil })
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		latest = append(latest, a)
	}
	return latest, nil
}

// Tasks lists the tasks of an audit that left evidence.
func (s *State) Tasks(ctx context.Context, audit model.Audit) ([]model.Task, error) {
	return s.Records.Tasks(ctx, audit.ID)
}

// Calls visits every call that an audit made, connecting and attempts that failed
// included, and says how many ledgers it left out because no record names them. No call
// of a ledger is visited that is not as it was written.
func (s *State) Calls(ctx context.Context, audit model.Audit, visit func(ledger.Entry) error) (unrecorded int, err error) {
	tasks, err := s.Tasks(ctx, audit)
	if err != nil {
		return 0, err
	}
	ledgers, err := pipeline.Ledgers(ctx, s.Evidence, Organization, audit, tasks)
	if err != nil {
		return 0, err
	}
	var calls []ledger.Entry
	for _, l := range ledgers {
		if l.Unrecorded {
			unrecorded++
			continue
		}
		calls = calls[:0]
		if err := pipeline.ReadLedger(ctx, s.Evidence, l.Object, func(e ledger.Entry) error { calls = append(calls, e); return nil }); err != nil {
			return unrecorded, err
		}
		for _, call := range calls {
			if err := visit(call); err != nil {
				return unrecorded, err
			}
		}
	}
	return unrecorded, nil
}

// Cancel stops an audit that runs in another process.
func (s *State) Cancel(ctx context.Context, audit model.Audit) error {
	p := &pipeline.Pipeline{Store: s.Store, Now: time.Now}
	return p.Stop(ctx, model.Change{}, Organization, audit.Connection, audit.ID, model.AuditCancelled, ErrCancelled.Error())
}
