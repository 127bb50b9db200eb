package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Request is what an audit shall look at.
type Request struct {
	Organization    model.OrganizationID
	Audit           model.AuditID // chosen by the caller; the same id plans once
	Connection      model.Connection
	Partition       string
	CallerARN       string
	Permissions     *model.Permissions // of the caller, if somebody looked
	Regions         []string           // empty asks the account which it has enabled; Plan needs them
	DisabledRegions []string
	Narrowed        bool // see model.Audit
	Unused          bool // see model.Audit; a connection may say so, too
	Checks          []check.Check
	Services        []string           // those allowed; empty allows all
	TrustedAccounts []string           // see model.Connection
	Options         model.CheckOptions // that are set
	CallBudget      int                // see model.Audit
	Urgent          bool               // somebody waits for it
	By              model.Change

	Trust   *model.Trust  // see model.Audit
	Refused *RefusedError // for what the audit is refused, if it looks for its Check alone
}

// Narrowed reports whether an account has enabled regions that are not audited.
func Narrowed(audited, enabled []string) bool {
	return slices.ContainsFunc(enabled, func(region string) bool { return !slices.Contains(audited, region) })
}

// ErrNothing says that a request selects no check.
var ErrNothing = errors.New("nothing to audit: no check is left after --services, --checks, --exclude-checks and --severity")

// Selection is what a request comes to: the checks that can run, and the services
// that have to be collected for them.
type Selection struct {
	Checks   []check.Check
	Services []string
}

// Resolve works out a selection. A check runs if every service that it looks at is
// allowed, but for types that are shared; a service is collected if a check that runs
// looks at it.
func Resolve(catalog *check.Catalog, checks []check.Check, allowed []string) (Selection, error) {
	var selection Selection
	needed := map[string]bool{}
	for _, c := range checks {
		if !catalog.Allows(allowed, c) {
			continue
		}
		selection.Checks = append(selection.Checks, c)
		for _, kind := range append([]string{c.Kind}, c.Uses...) {
			needed[catalog.ServiceOf(kind)] = true
		}
	}
	if len(selection.Checks) == 0 {
		return selection, ErrNothing
	}
	for _, s := range catalog.Services() {
		if needed[s.Name] {
			selection.Services = append(selection.Services, s.Name)
		}
	}
	return selection, nil
}

// Begin writes an audit whose account is not opened yet, and sends the task that
// opens it and plans the others. Beginning the same audit again sends again what
// is still open.
func (p *Pipeline) Begin(ctx context.Context, r Request) (model.Audit, error) {
	audit, _, err := p.newAudit(r)
	if err != nil {
		return audit, err
	}
	audit.State = model.AuditConnecting
	return p.start(ctx, r.By, r.Organization, audit, []model.Task{taskOf(audit, connect)})
}

// BeginVerification begins an audit that only opens the account, and makes sure
// that nobody else can come in the same way.
func (p *Pipeline) BeginVerification(ctx context.Context, by model.Change, org model.OrganizationID, connection model.Connection, id model.AuditID) error {
	if err := p.Store.For(org).Unverify(ctx, connection.ID); err != nil {
		return err
	}
	audit := model.Audit{
		ID: id, Connection: connection.ID, AccountID: connection.AccountID, Project: connection.Project, CloudArq: version.String(), Verification: true, Urgent: true,
		State: model.AuditConnecting, StartedAt: p.Now().UTC(), Services: []string{}, Checks: []model.CheckID{}, Regions: []string{},
	}
	audit.DetailUntil = p.detailUntil(audit)
	_, err := p.start(ctx, by, org, audit, []model.Task{taskOf(audit, connect)})
	return err
}

// SendAgain sends the task that opens the account of an audit, whose sender may have
// died. An audit that is further does nothing because of it.
func (p *Pipeline) SendAgain(ctx context.Context, org model.OrganizationID, audit model.Audit) error {
	return p.send(ctx, org, audit, []model.Task{{ID: connect}})
}

// Plan writes an audit with its tasks and sends the tasks on their way. Planning
// the same audit again sends again what is still open.
func (p *Pipeline) Plan(ctx context.Context, r Request) (model.Audit, error) {
	audit, tasks, err := p.newAudit(r)
	if err != nil {
		return audit, err
	}
	return p.start(ctx, r.By, r.Organization, audit, tasks)
}

// newAudit works out what a request comes to.
func (p *Pipeline) newAudit(r Request) (model.Audit, []model.Task, error) {
	selection, err := Resolve(p.Catalog, r.Checks, r.Services)
	if err != nil {
		return model.Audit{}, nil, err
	}
	audit := model.Audit{
		ID: r.Audit, Connection: r.Connection.ID, AccountID: r.Connection.AccountID, Project: r.Connection.Project, CloudArq: version.String(), Once: r.Connection.Schedule.Once(),
		Partition: r.Partition, CallerARN: r.CallerARN, State: model.AuditRunning, StartedAt: p.Now().UTC(),
		Urgent: r.Urgent, Services: selection.Services, Regions: r.Regions, DisabledRegions: r.DisabledRegions, Narrowed: r.Narrowed, Unused: r.Unused || r.Connection.Unused, Permissions: r.Permissions,
		TrustedAccounts: r.TrustedAccounts, Options: check.Effective(selection.Checks, r.Options), CallBudget: r.CallBudget, Trust: r.Trust,
	}
	if r.Refused != nil {
		audit.Refused, audit.RefusedCode = r.Refused.Message, r.Refused.Code
	}
	audit.DetailUntil = p.detailUntil(audit)
	for _, c := range selection.Checks {
		audit.Checks = append(audit.Checks, c.ID)
	}
	audit.Part = p.leavesOut(audit, r.Connection)
	return audit, serviceTasks(audit), nil
}

// leavesOut reports whether an audit is to look at less than its connection asks for, or
// may be: what the connection asks for may not be there any more.
func (p *Pipeline) leavesOut(audit model.Audit, c model.Connection) bool {
	checks, err := p.Catalog.Select(c.Checks)
	if err != nil {
		return true
	}
	asked, err := Resolve(p.Catalog, checks, c.Services)
	if err != nil || slices.ContainsFunc(asked.Checks, func(k check.Check) bool { return !slices.Contains(audit.Checks, k.ID) }) {
		return true
	}
	if len(c.Regions) == 0 { // all that the account has
		return audit.Narrowed
	}
	return len(audit.Regions) > 0 && Narrowed(audit.Regions, c.Regions)
}

func serviceTasks(audit model.Audit) []model.Task {
	var tasks []model.Task
	for _, service := range audit.Services {
		t := taskOf(audit, service)
		t.Regions = audit.Regions
		tasks = append(tasks, t)
	}
	return tasks
}

// taskOf is an open task of an audit, whose id is what it is about.
func taskOf(audit model.Audit, service string) model.Task {
	return model.Task{ID: model.TaskID(service), Audit: audit.ID, Service: service, State: model.TaskOpen, Until: audit.DetailUntil}
}

func (p *Pipeline) detailUntil(audit model.Audit) time.Time {
	if p.KeepDetail == 0 {
		return time.Time{}
	}
	return audit.StartedAt.Add(p.KeepDetail)
}

// start writes what a new audit consists of and sends its tasks. Tasks before
// the audit: an audit that exists has all its tasks, and its bound.
func (p *Pipeline) start(ctx context.Context, by model.Change, orgID model.OrganizationID, audit model.Audit, tasks []model.Task) (model.Audit, error) {
	org := p.Store.For(orgID)
	if err := org.PutTasks(ctx, tasks); err != nil {
		return audit, err
	}
	if p.Bound > 0 {
		if err := org.PutBound(ctx, audit, audit.StartedAt.Add(p.Bound)); err != nil {
			return audit, err
		}
	}
	err := org.ChangeAudit(ctx, by, &audit)
	if errors.Is(err, store.ErrConflict) { // begun before
		if audit, err = org.Audit(ctx, audit.Connection, audit.ID); err == nil && audit.State.Ended() {
			// Whoever began it may have died before that was told, and this one comes late.
			return audit, errors.Join(org.DeleteBound(ctx, audit.ID), event.Tell(ctx, p.Events, event.OfAudit(orgID, event.AuditStarted, audit, audit.StartedAt)))
		}
	}
	if err != nil {
		return audit, err
	}
	if audit.Version == 1 {
		p.meter(metrics.AuditsStarted, 1)
	}
	// Its tasks come first: it goes on also where nobody can be told.
	if err := p.send(ctx, orgID, audit, tasks); err != nil {
		return audit, err
	}
	return audit, event.Tell(ctx, p.Events, event.OfAudit(orgID, event.AuditStarted, audit, audit.StartedAt))
}

// ErrForgotten says that the tasks of an audit are not known any more.
var ErrForgotten = errors.New("the tasks of the audit are forgotten, as their evidence is")

// resumable is how long before its tasks are forgotten an audit is not taken up again:
// it would not end in time.
const resumable = 2 * 24 * time.Hour

// Resume takes an audit up again that was stopped, or of which tasks failed, and
// sends what is still to do. It returns ErrForgotten for one that is too old.
func (p *Pipeline) Resume(ctx context.Context, by model.Change, orgID model.OrganizationID, audit model.Audit) (model.Audit, error) {
	if until := audit.DetailUntil; !until.IsZero() && p.Now().Add(resumable).After(until) {
		return audit, ErrForgotten
	}
	org := p.Store.For(orgID)
	all, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return audit, err
	}
	if all, err = dropParts(ctx, org, all); err != nil {
		return audit, err
	}
	var tasks []model.Task
	audit.State = model.AuditRunning
	for _, t := range all {
		switch t.State {
		case model.TaskFailed:
			t = model.Task{
				ID: t.ID, Audit: t.Audit, Service: t.Service, Regions: t.Regions, State: model.TaskOpen, Until: t.Until, Version: t.Version,
				Of: t.Of, Part: t.Part, Rest: t.Rest, Objects: t.Objects,
			}
			if err := org.PutTask(ctx, &t); err != nil {
				return audit, err
			}
		case model.TaskIngested:
			continue
		case model.TaskOpen, model.TaskCollected:
		}
		if t.ID == connect {
			audit.State = model.AuditConnecting
		}
		if err := reopen(ctx, org, audit, t, all); err != nil {
			return audit, err
		}
		tasks = append(tasks, t)
	}
	if len(tasks) == 0 && len(all) > 0 { // all was done but the end: the result of any brings that
		tasks = all[:1]
	}
	audit.EndedAt, audit.Problems, audit.Overdue = time.Time{}, nil, false
	if !audit.Distrusted() {
		audit.Refused, audit.RefusedCode = "", ""
	}
	audit.Statement = nil // there is another when it has ended again
	audit.Retries++
	audit.Urgent = true // somebody asked for it, whoever began it
	if p.Bound > 0 {
		if err := org.PutBound(ctx, audit, p.Now().Add(p.Bound)); err != nil {
			return audit, err
		}
	}
	if err := org.ChangeAudit(ctx, by, &audit); err != nil {
		return audit, err
	}
	if err := p.send(ctx, orgID, audit, tasks); err != nil {
		return audit, err
	}
	return audit, event.Tell(ctx, p.Events, event.OfAudit(orgID, event.AuditResumed, audit, p.Now()))
}

// dropParts forgets the parts of tasks that failed as a whole: done again, such a task
// reads other things before its time is over, and leaves others to its parts. What the
// parts stored is noted with the whole.
func dropParts(ctx context.Context, org *store.Organization, all []model.Task) (kept []model.Task, err error) {
	failed, stored := map[model.TaskID]bool{}, map[model.TaskID][]model.Object{}
	for _, t := range all {
		failed[t.ID] = t.State == model.TaskFailed
		stored[t.Of] = append(stored[t.Of], t.Objects...)
	}
	for _, t := range all {
		if failed[t.ID] && len(stored[t.ID]) > 0 {
			own := t.Objects
			t.Objects = model.WithObjects(own, stored[t.ID]...)
			err := org.PutTask(ctx, &t)
			if store.Refused(err) { // more than a record holds: they are there, and no record names them
				t.Objects, err = own, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if !failed[t.Of] {
			kept = append(kept, t)
		}
	}
	for _, t := range all {
		if !failed[t.Of] {
			continue
		}
		if err := org.DeleteTask(ctx, t.Audit, t.ID); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// reopen makes an audit wait for a task again. For a part it waits for the whole, which
// is taken in once more.
func reopen(ctx context.Context, org *store.Organization, audit model.Audit, t model.Task, all []model.Task) error {
	if t.Of == "" {
		return org.Reopen(ctx, t)
	}
	at := slices.IndexFunc(all, func(root model.Task) bool { return root.ID == t.Of })
	if at < 0 {
		return fmt.Errorf("task %s of audit %s is a part of %s: %w", t.ID, audit.ID, t.Of, store.ErrNotFound)
	}
	if root := &all[at]; root.State == model.TaskIngested {
		root.State = model.TaskCollected
		if err := org.PutTask(ctx, root); err != nil {
			return err
		}
	}
	return org.Reopen(ctx, all[at])
}

func (p *Pipeline) send(ctx context.Context, org model.OrganizationID, audit model.Audit, tasks []model.Task) error {
	var bodies [][]byte
	for _, t := range tasks {
		m := Message{Kind: KindTask, Version: messageVersion, Organization: org, Connection: audit.Connection, Audit: audit.ID, Task: t.ID}
		bodies = append(bodies, m.body())
	}
	to := p.Tasks
	if p.Urgent != nil && (audit.Urgent || to == nil) { // the API has no other
		to = p.Urgent
	}
	if err := to.Send(ctx, bodies...); err != nil {
		return fmt.Errorf("send %d tasks of audit %s: %w", len(bodies), audit.ID, err)
	}
	return nil
}
