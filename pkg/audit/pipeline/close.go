package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Close ends an audit of which no task is open: it runs the rules that look at
// the whole account, writes the score, notes what changed and announces the end.
// Closing twice does no harm; of two who close at once one wins, and the other
// finds it done.
func (p *Pipeline) Close(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID) error {
	org := p.Store.For(orgID)
	audit, err := org.Audit(ctx, connection, id)
	if err != nil {
		return err
	}
	if !audit.State.Ended() {
		if audit, err = p.conclude(ctx, orgID, audit); err != nil {
			return fmt.Errorf("close audit %s: %w", id, err)
		}
		if err := org.PutAudit(ctx, &audit); errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("close audit %s: somebody else has just written it: %w", id, err)
		} else if err != nil {
			return err
		}
		p.meterEnd(audit)
	}
	return p.announceEnd(ctx, orgID, audit)
}

func (p *Pipeline) meterEnd(audit model.Audit) {
	switch audit.State {
	case model.AuditPartial:
		p.meter(metrics.AuditsPartial, 1)
	case model.AuditFailed:
		p.meter(metrics.AuditsFailed, 1)
	case model.AuditDone, model.AuditCancelled, model.AuditConnecting, model.AuditRunning:
	}
	p.meter(metrics.AuditsFinished, 1)
	p.meter(metrics.AuditDuration, int(audit.EndedAt.Sub(audit.StartedAt).Seconds()))
	if s := audit.Summary; s != nil {
		blind := 0
		for _, counts := range s.Tally {
			if counts.NotAssessed > 0 {
				blind++
			}
		}
		p.meter(metrics.BlindChecks, blind)
	}
}

// announceEnd does what follows from an audit's end, as often as asked. Who
// cancelled an audit knows that it ended.
func (p *Pipeline) announceEnd(ctx context.Context, orgID model.OrganizationID, audit model.Audit) error {
	org := p.Store.For(orgID)
	if err := p.noteTrend(ctx, org, audit); err != nil {
		return err
	}
	if err := p.writeIndex(ctx, orgID, audit); err != nil {
		return err
	}
	if audit.Summary != nil {
		if err := org.AskRollUp(ctx, p.Now(), rollUpEvery); err != nil {
			return err
		}
	}
	if audit.State == model.AuditCancelled {
		return nil
	}
	connection, broken, err := p.noteConnection(ctx, org, audit)
	if err == nil && connection.Since.Equal(audit.StartedAt) { // it is this audit's news
		err = event.Tell(ctx, p.Events, event.OfConnection(orgID, event.ConnectionState, connection, audit.EndedAt))
	}
	if err != nil {
		return err
	}
	if err := p.publishEnd(ctx, orgID, audit, broken); err != nil {
		return err
	}
	if err := p.askForStatement(ctx, orgID, audit); err != nil {
		return err
	}
	return org.DeleteBound(ctx, audit.ID)
}

// endKept is how long it is known that an end was announced: longer than any message
// can come again.
const endKept = 30 * 24 * time.Hour

// publishEnd announces the end of each of an audit's tries once.
func (p *Pipeline) publishEnd(ctx context.Context, orgID model.OrganizationID, audit model.Audit, broken bool) error {
	if !p.announces() {
		return p.tellEnd(ctx, orgID, audit, broken)
	}
	org := p.Store.For(orgID)
	scope := "end-" + string(audit.ID)
	record, err := org.Scope(ctx, audit.Connection, scope)
	if err != nil || record.Done && record.Try >= audit.Retries {
		return err
	}
	h, err := p.hold(org, audit.Connection, scope, record)
	if err != nil {
		return err
	}
	if record.Done || record.Try != audit.Retries {
		h.record.Done, h.record.Announced = false, 0
	}
	h.record.Audit, h.record.Began, h.record.Try = audit.ID, audit.StartedAt, audit.Retries
	h.record.Expires = p.Now().Add(endKept)
	worst, err := p.firstWorst(ctx, org, audit)
	if err == nil {
		err = h.put(ctx)
	}
	var of alert.Of
	if err == nil {
		of, err = p.alertsOf(ctx, orgID, audit)
	}
	if err == nil {
		err = h.publish(ctx, of.Ended(broken, worst))
	}
	if err != nil {
		h.release(ctx)
		return err
	}
	h.record.Done = true
	return h.put(ctx)
}

// tellEnd tells programs of an end that this process announces to nobody else: the
// scheduler, which ends what nobody could sum up, may not note what it told, and tells it
// again as often as asked.
func (p *Pipeline) tellEnd(ctx context.Context, orgID model.OrganizationID, audit model.Audit, broken bool) error {
	if p.Events == nil {
		return nil
	}
	var events []bus.Event
	for _, a := range (alert.Of{Organization: orgID, Audit: audit}).Ended(broken, nil) {
		m, err := a.Message()
		if err != nil {
			return err
		}
		events = append(events, event.OfAlert(a, m.Body))
	}
	return p.Events.Publish(ctx, events...)
}

// alertsOf makes the alerts of an audit, with what people are told of it besides.
func (p *Pipeline) alertsOf(ctx context.Context, orgID model.OrganizationID, audit model.Audit) (alert.Of, error) {
	of := alert.Of{Organization: orgID, Audit: audit}
	texts, err := p.Catalog.Texts()
	if err != nil {
		return of, err
	}
	of.Texts = texts
	connection, err := p.Store.For(orgID).Connection(ctx, audit.Connection)
	if errors.Is(err, store.ErrNotFound) { // deleted meanwhile
		return of, nil
	}
	of.Name = connection.Name
	return of, err
}

// firstWorst are the gravest findings of a connection's first audit, which nothing
// else announces.
func (p *Pipeline) firstWorst(ctx context.Context, org *store.Organization, audit model.Audit) ([]diff.Change, error) {
	if audit.Summary == nil || audit.Summary.Changes.Previous != "" {
		return nil, nil
	}
	type found struct {
		scope string
		parts int
		news  []store.Headline
	}
	var all []found
	var gravest []store.Headline
	for _, scope := range append(slices.Clone(audit.Services), across) {
		record, err := org.Scope(ctx, audit.Connection, scope)
		if err != nil {
			return nil, err
		}
		if record.Audit == audit.ID && record.First {
			all = append(all, found{scope, record.Parts, record.News.Worst})
			gravest = worst(gravest, record.News.Worst...)
		}
	}
	var changes []diff.Change
	for _, one := range gravest {
		for _, f := range all {
			if !slices.Contains(f.news, one) {
				continue
			}
			c, err := p.changes(ctx, org, audit.Connection, f.scope, f.parts, []store.Headline{one}, nil)
			if err != nil {
				return nil, err
			}
			changes = append(changes, c...)
		}
	}
	return changes, nil
}

// noteConnection keeps with the connection whether its account can be opened, and
// allows what audits need. It reports whether this audit was the one that found it
// broken, also when asked again. The connection is as it was written, and empty if
// nothing is to be said of it.
func (p *Pipeline) noteConnection(ctx context.Context, org *store.Organization, audit model.Audit) (c model.Connection, broken bool, err error) {
	if audit.RefusedCode == model.CodeAccessKeysDisabled || audit.Refused == "" && audit.CallerARN == "" {
		return c, false, nil // not opened, for reasons that are not the account's
	}
	err = org.ChangeState(ctx, audit.Connection, func(found *model.Connection) bool {
		state, reason := drift.State(found.State, audit)
		change := (found.State != state || found.Reason != reason) && !found.Since.After(audit.StartedAt)
		if change {
			if found.State != state {
				found.Since = audit.StartedAt
			}
			found.State, found.Reason = state, reason
		}
		// Also one that has to be set up again, because its role lets in others: who never
		// opened it is told by the answer, and its state is older than this audit.
		broken = (found.State == model.ConnectionRevoked || found.State == model.ConnectionPending && audit.Refused != "") && found.Since.Equal(audit.StartedAt)
		c = *found
		return change
	})
	if errors.Is(err, store.ErrNotFound) {
		return model.Connection{}, false, nil // deleted meanwhile
	}
	return c, broken, err
}

// conclude works out how an audit ends.
func (p *Pipeline) conclude(ctx context.Context, orgID model.OrganizationID, audit model.Audit) (model.Audit, error) {
	org := p.Store.For(orgID)
	tasks, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return audit, err
	}
	// One who died while closing, or closed an earlier try, left the record of this
	// very step.
	var earlier model.Task
	if i := slices.IndexFunc(tasks, func(t model.Task) bool { return t.ID == across }); i >= 0 {
		earlier = tasks[i]
		tasks = slices.Delete(tasks, i, i+1)
	}
	// Parts of what failed as a whole show a part of it, and their listings end as if they
	// showed all.
	failed := map[model.TaskID]bool{}
	for _, t := range tasks {
		failed[t.ID] = t.State == model.TaskFailed
	}
	tasks = slices.DeleteFunc(tasks, func(t model.Task) bool { return failed[t.Of] })
	began := audit
	audit.State, audit.EndedAt = model.AuditDone, p.Now().UTC()
	for _, t := range tasks {
		if t.State == model.TaskFailed {
			audit.State = model.AuditPartial
			if !t.Spent {
				audit.AddProblem(t.Problem)
			}
		}
	}
	if slices.ContainsFunc(tasks, func(t model.Task) bool { return t.Spent }) {
		audit.State = model.AuditPartial
		audit.AddProblem(fmt.Sprintf("the call budget of the audit, %d, was used up before everything was read", audit.CallBudget))
	}
	if len(tasks) == 1 && tasks[0].ID == connect { // nothing was looked at, so nothing is known
		if audit.State == model.AuditPartial {
			audit.State = model.AuditFailed
		}
		return audit, nil
	}
	whole, err := p.judgeAccount(ctx, orgID, audit, tasks)
	var altered *AlteredError
	if errors.As(err, &altered) { // since it was taken in
		if i := slices.IndexFunc(tasks, func(t model.Task) bool { return t.Evidence == altered.Object.Key }); i >= 0 {
			if err := p.disown(ctx, org, tasks[i], altered); err != nil {
				return audit, err
			}
			return p.conclude(ctx, orgID, began)
		}
	}
	if err != nil {
		return audit, err
	}
	if whole.Changes, err = p.ingest(ctx, orgID, audit, across, []model.Task{whole}); err != nil {
		return audit, errors.Join(err, p.noteUnclosed(ctx, org, whole))
	}
	whole.State, whole.Version = model.TaskIngested, earlier.Version
	if audit.Distrusted() { // one check says nothing of the account
		audit.State = model.AuditFailed
		audit.AddProblem(audit.Refused)
		return audit, nil
	}
	previous, err := previousAudit(ctx, org, audit)
	if err != nil {
		return audit, err
	}
	if audit.Summary, err = p.summarise(audit, append(tasks, whole), previous); err != nil {
		return audit, err
	}
	if slices.ContainsFunc(tasks, func(t model.Task) bool { return t.Late }) {
		audit.State = model.AuditPartial
		audit.AddProblem(p.lateText())
	}
	// The record shows where the evidence lies; its task was never sent, and has
	// no marker.
	stored := whole.Objects
	whole.Objects = model.WithObjects(earlier.Objects, stored...)
	_, err = putTask(ctx, org, &whole, model.TaskIngested, stored...)
	return audit, err
}

// noteUnclosed notes what the rules over the account wrote, and could not be taken in:
// findings may say already that they were found there.
func (p *Pipeline) noteUnclosed(ctx context.Context, org *store.Organization, whole model.Task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	record := model.Task{ID: whole.ID, Audit: whole.Audit, Service: whole.Service, State: model.TaskIngested, Until: whole.Until, Objects: whole.Objects}
	if err := org.PutTask(ctx, &record); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return p.noteObjects(ctx, org, whole.Audit, whole.ID, whole.Objects...)
}

func (p *Pipeline) lateText() string {
	if p.Deadline > 0 {
		return fmt.Sprintf("the time given to the audit, %s, was over before everything was read", p.Deadline)
	}
	return "the time given to a task was over before everything was read"
}

// previousAudit is the last audit of the connection that ended with a summary.
func previousAudit(ctx context.Context, org *store.Organization, audit model.Audit) (*model.Audit, error) {
	a, err := org.LatestAudit(ctx, audit.Connection, func(a model.Audit) bool { return a.ID < audit.ID && a.Summary != nil })
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// summarise adds the tasks up.
func (p *Pipeline) summarise(audit model.Audit, tasks []model.Task, previous *model.Audit) (*model.Summary, error) {
	s := &model.Summary{
		Services: map[string]model.Score{}, Pillars: map[model.Pillar]model.Score{},
		Failed: map[model.Severity]int{}, Tally: model.Tally{}, Load: map[string]model.Load{},
	}
	gaps := gapCounts{}
	for _, t := range tasks {
		s.Resources += t.Resources
		s.Calls += t.Calls
		if t.Calls > 0 {
			s.Load[t.Service] = s.Load[t.Service].Add(t.Load)
		}
		s.Changes.New += t.Changes.New
		s.Changes.Resolved += t.Changes.Resolved
		s.Changes.Reopened += t.Changes.Reopened
		s.Changes.Folded += t.Changes.Folded
		s.Changes.Unfolded += t.Changes.Unfolded
		s.Changes.ByRules += t.Changes.ByRules
		for id, counts := range t.Tally {
			if c, ok := p.Catalog.Today(id); ok { // renamed while the audit ran
				id = c.ID
			}
			s.Tally[id] = s.Tally[id].Add(counts)
		}
		for id, counts := range t.Wanted {
			if s.Wanted == nil {
				s.Wanted = model.Tally{}
			}
			s.Wanted[id] = s.Wanted[id].Add(counts)
		}
		for _, g := range t.Gaps {
			gaps.merge(g)
		}
	}
	s.Gaps = gaps.list()
	texts, err := p.Catalog.Texts()
	if err != nil {
		return nil, err
	}
	services, pillars := map[string][]score.Line{}, map[model.Pillar][]score.Line{}
	var all []score.Line
	for id, counts := range s.Tally {
		c, ok := p.Catalog.Check(id)
		if !ok {
			continue
		}
		line := score.Line{Group: p.Catalog.Group(id), Severity: c.Severity, Counts: counts}
		all = append(all, line)
		services[c.Service] = append(services[c.Service], line)
		pillars[texts[id].Pillar] = append(pillars[texts[id].Pillar], line)
		s.Failed[c.Severity] += counts.Own()
		s.Counts = s.Counts.Add(counts)
	}
	s.Score = score.Of(all...)
	for name, lines := range services {
		s.Services[name] = score.Of(lines...)
	}
	for name, lines := range pillars {
		s.Pillars[name] = score.Of(lines...)
	}
	if previous != nil {
		s.Changes.Previous = previous.ID
		s.Changes.NewlyBlind = newlyBlind(previous.Summary.Tally, s.Tally, s.Gaps)
		audit.Summary = s
		s.Changes.NewlyMissing = drift.NewlyLost(*previous, audit)
		s.Changes.Score = score.Compare(*previous, audit)
	}
	return s, nil
}

// newlyBlind lists the checks that were fully assessed in the audit before and
// are not any more, for other reasons than that the audit was to look at less.
func newlyBlind(before, now model.Tally, gaps []model.GapCount) []model.CheckID {
	unasked, other := map[model.CheckID]bool{}, map[model.CheckID]bool{}
	for _, g := range gaps {
		for _, id := range g.Checks {
			if g.Reason == string(fact.NotCollected) {
				unasked[id] = true
			} else {
				other[id] = true
			}
		}
	}
	var blind []model.CheckID
	for id, counts := range now {
		was, ran := before[id]
		if counts.NotAssessed > 0 && ran && was.NotAssessed == 0 && (other[id] || !unasked[id]) {
			blind = append(blind, id)
		}
	}
	slices.Sort(blind)
	return blind
}
