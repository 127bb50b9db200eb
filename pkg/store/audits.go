package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Audits of a connection share a partition, in order of start. The index path
// leads from an audit's id alone to its record.

func (o *Organization) auditKey(connection model.ConnectionID, id model.AuditID) (key, index table.Key) {
	return table.Key{PK: o.key("AUDIT", string(connection)), SK: string(id)},
		table.Key{PK: o.key("AUDITS"), SK: string(id)}
}

// PutAudit writes an audit if it is unchanged since it was read, and moves its
// Version on; ErrConflict otherwise. A new audit has version 0.
func (o *Organization) PutAudit(ctx context.Context, a *model.Audit) error {
	return o.ChangeAudit(ctx, model.Change{}, a)
}

// ChangeAudit is PutAudit for what somebody wants begun, stopped or done again, which the
// admin log says.
func (o *Organization) ChangeAudit(ctx context.Context, by model.Change, a *model.Audit) error {
	key, index := o.auditKey(a.Connection, a.ID)
	item, err := encode(key, index, a.Version, a)
	if err != nil {
		return err
	}
	object := "connection/" + string(a.Connection) + "/audit/" + string(a.ID)
	if err := o.putLogged(ctx, item, by, object, courseOf); err != nil {
		return fmt.Errorf("write audit %s: %w", a.ID, err)
	}
	a.Version++
	return nil
}

// courseOf is what the admin log says of an audit: what people do to it, and not what it
// found.
func courseOf(body []byte) (json.RawMessage, error) {
	var a struct {
		State        model.AuditState `json:"state"`
		Verification bool             `json:"verification,omitempty"`
		Retries      int              `json:"retries,omitempty"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// Audit reads an audit.
func (o *Organization) Audit(ctx context.Context, connection model.ConnectionID, id model.AuditID) (model.Audit, error) {
	var a model.Audit
	key, _ := o.auditKey(connection, id)
	item, err := o.get(ctx, key, &a)
	if err != nil {
		return a, fmt.Errorf("audit %s: %w", id, err)
	}
	a.Version = item.Version
	return a, nil
}

// Audits lists all audits of the organization, newest first. An audit that was
// written a moment ago may be missing.
func (o *Organization) Audits(ctx context.Context) ([]model.Audit, error) {
	all, err := list(ctx, o.table, table.Query{Index: true, PK: o.key("AUDITS"), Desc: true}, auditVersion)
	if err != nil {
		return nil, fmt.Errorf("list audits: %w", err)
	}
	return all, nil
}

// AuditsOf lists the audits of a connection, newest first.
func (o *Organization) AuditsOf(ctx context.Context, connection model.ConnectionID) ([]model.Audit, error) {
	all, err := list(ctx, o.table, table.Query{PK: o.key("AUDIT", string(connection)), Desc: true}, auditVersion)
	if err != nil {
		return nil, fmt.Errorf("list audits of %s: %w", connection, err)
	}
	return all, nil
}

// AuditsPage lists some audits of a connection, newest first, those that come
// after a cursor of an earlier page.
func (o *Organization) AuditsPage(ctx context.Context, connection model.ConnectionID, cursor string, limit int) (page []model.Audit, next string, err error) {
	q := table.Query{PK: o.key("AUDIT", string(connection)), Desc: true, Cursor: cursor, Limit: limit}
	page, next, err = onePage(ctx, o.table, q, auditVersion)
	if err != nil {
		return nil, "", fmt.Errorf("list audits of %s: %w", connection, err)
	}
	return page, next, nil
}

// LatestAudit is the newest audit of a connection that wanted accepts, or
// ErrNotFound. It reads no further than to that audit.
func (o *Organization) LatestAudit(ctx context.Context, connection model.ConnectionID, wanted func(model.Audit) bool) (model.Audit, error) {
	q := table.Query{PK: o.key("AUDIT", string(connection)), Desc: true, Limit: 3}
	for a, err := range each(ctx, o.table, q, auditVersion) {
		if err != nil {
			return a, fmt.Errorf("latest audit of %s: %w", connection, err)
		}
		if wanted(a) {
			return a, nil
		}
	}
	return model.Audit{}, fmt.Errorf("latest audit of %s: %w", connection, ErrNotFound)
}

func auditVersion(a *model.Audit, v int64) { a.Version = v }

func (o *Organization) taskKey(audit model.AuditID, id model.TaskID) table.Key {
	return table.Key{PK: o.key("TASK", string(audit)), SK: string(id)}
}

// taskItem is the record of a task, which the table forgets when its time is over.
func (o *Organization) taskItem(t model.Task, version int64) (table.Item, error) {
	item, err := encode(o.taskKey(t.Audit, t.ID), table.Key{}, version, t)
	item.Expires = t.Until
	return item, err
}

// An open task has a marker beside its record. Deleting the marker is how a task
// is done, and that no marker is left is how an audit is: no counters, no
// transactions, and doing either twice does no harm.
func (o *Organization) markerKey(audit model.AuditID, id model.TaskID) table.Key {
	return table.Key{PK: o.key("OPEN", string(audit)), SK: string(id)}
}

// PutTasks writes the tasks of a new audit with their markers. Doing it again
// changes nothing that was written before. A task that has a record had its marker, and
// may be done: it is not given another.
func (o *Organization) PutTasks(ctx context.Context, tasks []model.Task) error {
	for _, t := range tasks {
		if _, err := o.Task(ctx, t.Audit, t.ID); err == nil {
			continue
		} else if !isMissing(err) {
			return err
		}
		marker := o.marker(t)
		record, err := o.taskItem(t, 0)
		if err != nil {
			return err
		}
		for _, item := range []table.Item{marker, record} {
			if err := o.table.Put(ctx, item); err != nil && !isConflict(err) {
				return fmt.Errorf("write task %s of audit %s: %w", t.ID, t.Audit, err)
			}
		}
	}
	return nil
}

// marker is that of an open task. It is forgotten with the task's record: an audit that
// was cancelled leaves those of what it did not do.
func (o *Organization) marker(t model.Task) table.Item {
	return table.Item{Key: o.markerKey(t.Audit, t.ID), Body: []byte("{}"), Expires: t.Until}
}

// Reopen puts the marker of a task back, so that its audit waits for it again.
func (o *Organization) Reopen(ctx context.Context, t model.Task) error {
	if err := o.table.Put(ctx, o.marker(t)); err != nil && !isConflict(err) {
		return fmt.Errorf("reopen task %s of audit %s: %w", t.ID, t.Audit, err)
	}
	return nil
}

// PutTask writes a task if it is unchanged since it was read, and moves its
// Version on; ErrConflict otherwise.
func (o *Organization) PutTask(ctx context.Context, t *model.Task) error {
	item, err := o.taskItem(*t, t.Version)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write task %s of audit %s: %w", t.ID, t.Audit, err)
	}
	t.Version++
	return nil
}

// DeleteTask forgets a task that another one has replaced.
func (o *Organization) DeleteTask(ctx context.Context, audit model.AuditID, id model.TaskID) error {
	if err := o.table.Delete(ctx, o.taskKey(audit, id)); err != nil {
		return fmt.Errorf("delete task %s of audit %s: %w", id, audit, err)
	}
	return nil
}

// Task reads a task.
func (o *Organization) Task(ctx context.Context, audit model.AuditID, id model.TaskID) (model.Task, error) {
	var t model.Task
	item, err := o.get(ctx, o.taskKey(audit, id), &t)
	if err != nil {
		return t, fmt.Errorf("task %s of audit %s: %w", id, audit, err)
	}
	t.Version = item.Version
	return t, nil
}

// Tasks lists the tasks of an audit by id.
func (o *Organization) Tasks(ctx context.Context, audit model.AuditID) ([]model.Task, error) {
	all, err := list(ctx, o.table, table.Query{PK: o.key("TASK", string(audit))}, func(t *model.Task, v int64) { t.Version = v })
	if err != nil {
		return nil, fmt.Errorf("list tasks of audit %s: %w", audit, err)
	}
	return all, nil
}

// TaskDone deletes a task's marker and reports whether it was the last.
func (o *Organization) TaskDone(ctx context.Context, audit model.AuditID, id model.TaskID) (last bool, err error) {
	if err := o.table.Delete(ctx, o.markerKey(audit, id)); err != nil {
		return false, fmt.Errorf("end task %s of audit %s: %w", id, audit, err)
	}
	page, err := o.table.Query(ctx, table.Query{PK: o.key("OPEN", string(audit)), Limit: 1})
	if err != nil {
		return false, fmt.Errorf("look for open tasks of audit %s: %w", audit, err)
	}
	return len(page.Items) == 0, nil
}

// claim says which audit of a connection is begun, or was last.
type claim struct {
	Audit model.AuditID `json:"audit"`
	At    time.Time     `json:"at"`
}

// ClaimHeld is how long an audit that has claimed its connection, and is not written
// yet, keeps others from it: whoever claimed may have died.
const ClaimHeld = time.Minute

func (o *Organization) claimKey(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("RUNNING"), SK: string(connection)}
}

// Claim makes an audit the one that runs of its connection, and gives it back; or the
// other that runs. Of two who claim at once one has it. Claiming again changes nothing.
func (o *Organization) Claim(ctx context.Context, connection model.ConnectionID, id model.AuditID, now time.Time) (model.AuditID, error) {
	for {
		var c claim
		item, err := o.get(ctx, o.claimKey(connection), &c)
		if err != nil && !isMissing(err) {
			return "", fmt.Errorf("which audit of %s runs: %w", connection, err)
		}
		if err == nil {
			if c.Audit == id {
				return id, nil
			}
			a, err := o.Audit(ctx, connection, c.Audit)
			if err != nil && !isMissing(err) {
				return "", err
			}
			if err == nil && !a.State.Ended() || err != nil && now.Sub(c.At) < ClaimHeld {
				return c.Audit, nil
			}
		}
		next, err := encode(o.claimKey(connection), table.Key{}, item.Version, claim{id, now})
		if err != nil {
			return "", err
		}
		if err := o.table.Put(ctx, next); err == nil {
			return id, nil
		} else if !isConflict(err) {
			return "", fmt.Errorf("claim connection %s for audit %s: %w", connection, id, err)
		}
	}
}
