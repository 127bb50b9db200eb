package local

import (
	"context"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Findings lists all findings of a connection, open and resolved.
func (s *State) Findings(ctx context.Context, connection model.ConnectionID) ([]model.Finding, error) {
	var all []model.Finding
	for _, scope := range pipeline.Scopes(s.Catalog) {
		found, err := s.Records.Findings(ctx, connection, scope)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// Latest is the newest audit with a summary of every connection, by account.
func (s *State) Latest(ctx context.Context) ([]model.Audit, error) {
	connections, err := s.Records.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var latest []model.Audit
	for _, c := range connections {
		audits, err := s.Records.AuditsOf(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range audits {
			if a.Summary != nil {
				latest = append(latest, a)
				break
			}
		}
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

// Compare is what is different between two audits of an account, in the checks
// that both ran. One service is in memory at a time.
func (s *State) Compare(ctx context.Context, older, newer model.Audit) ([]diff.Difference, error) {
	was, err := s.Tasks(ctx, older)
	if err != nil {
		return nil, err
	}
	is, err := s.Tasks(ctx, newer)
	if err != nil {
		return nil, err
	}
	before := map[model.TaskID]model.Task{}
	for _, t := range was {
		before[t.ID] = t
	}
	var all []diff.Difference
	for _, t := range is {
		if t.Evidence == "" || before[t.ID].Evidence == "" {
			continue
		}
		c := diff.NewComparison(older, newer)
		for _, step := range []struct {
			task  model.Task
			visit func(evidence.Entry) error
		}{{before[t.ID], c.Before}, {t, c.After}} {
			if err := pipeline.ReadEvidence(ctx, s.Evidence, step.task.Object(step.task.Evidence), step.visit); err != nil {
				return nil, err
			}
		}
		all = append(all, c.Finish()...)
	}
	return all, nil
}
