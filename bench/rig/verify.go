package rig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Outcome is what the audits of the last round came to.
type Outcome struct {
	Scheduled int // audits of connections that were due
	Audits    int // those, and the ones that were asked for
	Tasks     int
	Verdicts  model.Counts
	Changes   model.Changes
	Open      int // findings: verdicts that are FAIL
}

// Verify looks whether the rounds so far came to what they should: every
// connection has one audit a round, and those that were asked for; each is done and saw
// every resource; the connection's next date is set; nothing is left over, no
// message was given up, and each audit was announced once. The error names all
// that is wrong, or the first of it.
func (r *Rig) Verify(ctx context.Context) (Outcome, error) {
	var out Outcome
	var problems []error
	for org, connections := range r.connections() {
		for _, id := range connections {
			if err := r.verify(ctx, org, id, &out); err != nil {
				problems = append(problems, fmt.Errorf("%s of %s: %w", id, org, err))
			}
		}
	}
	for due, err := range r.store.Overdue(ctx, r.clock().Add(10*bound)) {
		problems = append(problems, errors.Join(err, fmt.Errorf("audit %s would still be ended", due.Audit)))
	}
	for _, dead := range slices.Concat(r.tasks.Dead(), r.urgent.Dead(), r.results.Dead(), r.purges.Dead()) {
		problems = append(problems, fmt.Errorf("dead letter %s: %w", dead.Body, dead.Err))
	}
	r.heard.mu.Lock()
	defer r.heard.mu.Unlock()
	want := r.rounds * r.o.Connections
	for _, n := range r.demanded {
		want += n
	}
	if n := r.heard.kinds[alert.KindAudit]; n != want {
		problems = append(problems, fmt.Errorf("%d ends of audits were announced, want %d", n, want))
	}
	for id, times := range r.heard.heard {
		if times != 1 {
			problems = append(problems, fmt.Errorf("alert %s was published %d times", id, times))
		}
	}
	if len(problems) > 10 {
		problems = append(problems[:10], fmt.Errorf("and %d more problems", len(problems)-10))
	}
	return out, errors.Join(problems...)
}

func (r *Rig) verify(ctx context.Context, org model.OrganizationID, id model.ConnectionID, out *Outcome) error {
	records := r.store.For(org)
	all := r.rounds + r.demanded[id]
	audits, _, err := records.AuditsPage(ctx, id, "", all+1)
	if err != nil {
		return err
	}
	if len(audits) != all {
		return fmt.Errorf("has %d audits, want %d", len(audits), all)
	}
	began := began().Add(time.Duration(r.rounds) * interval)
	for _, a := range audits {
		if a.StartedAt.Before(began) {
			continue
		}
		switch {
		case a.State != model.AuditDone || a.Summary == nil:
			return fmt.Errorf("audit %s is %s: %v", a.ID, a.State, a.Problems)
		case a.Summary.Resources != r.Estate.Resources():
			return fmt.Errorf("audit %s saw %d resources of %d", a.ID, a.Summary.Resources, r.Estate.Resources())
		}
		out.Audits++
		out.Tasks += len(a.Services) + 1 // and the one that opened the account
		out.Verdicts = out.Verdicts.Add(a.Summary.Counts)
		out.Changes.New += a.Summary.Changes.New
		out.Changes.Resolved += a.Summary.Changes.Resolved
		out.Changes.Reopened += a.Summary.Changes.Reopened
	}
	i := slices.IndexFunc(audits, func(a model.Audit) bool { return !a.Urgent })
	if i < 0 || audits[i].StartedAt.Before(began) || audits[i].StartedAt.After(r.clock()) {
		return errors.New("has no audit of this round")
	}
	out.Open += audits[0].Summary.Counts.Fail
	next, err := records.NextAudit(ctx, id)
	if err != nil {
		return err
	}
	if place := next.Sub(began.Add(interval)); place < 0 || place > time.Duration(r.o.Over)*time.Minute || audits[i].StartedAt.Sub(next.Add(-interval)) > time.Minute {
		return fmt.Errorf("is due next at %s, and was audited at %s", next.Format(time.RFC3339), audits[i].StartedAt.Format(time.RFC3339))
	}
	c, err := records.Connection(ctx, id)
	if err != nil {
		return err
	}
	if c.State != model.ConnectionActive {
		return fmt.Errorf("is %s: %s", c.State, c.Reason)
	}
	out.Scheduled++
	return nil
}
