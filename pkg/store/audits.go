package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Audits of a connection share a partition, in order of start. The index path leads from an
// audit's id alone to its record. When an audit has ended, what lists do not need of it, most of
// its bytes, lies in a partition of its own: written before the record that names it, and never
// over another.

func (o *Organization) auditKey(connection model.ConnectionID, id model.AuditID) (key, index table.Key) {
	return table.Key{PK: o.key("AUDIT", string(connection)), SK: string(id)},
		table.Key{PK: o.key("AUDITS"), SK: string(id)}
}

func (o *Organization) detailKey(connection model.ConnectionID, id model.AuditID, name string) table.Key {
	return table.Key{PK: o.key("AUDIT", string(connection), string(id)), SK: name}
}

// auditRecord is an audit as it is stored: with the name of its detail, or else whole, as one
// that runs and as earlier releases stored all.
type auditRecord struct {
	model.Audit
	Detail *detailName `json:"detail,omitempty"`
}

type detailName struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // SHA-256, in hex
}

// detailRecord is a record of a detail.
type detailRecord struct {
	Detail auditDetail `json:"detail"`
}

// auditDetail is what is apart from the record.
type auditDetail struct {
	Checks          []model.CheckID              `json:"checks"`
	TrustedAccounts []string                     `json:"trusted_accounts,omitempty"`
	Options         model.CheckOptions           `json:"options,omitempty"`
	Permissions     *model.Permissions           `json:"permissions,omitempty"`
	Trust           *model.Trust                 `json:"trust,omitempty"`
	Objects         []model.Object               `json:"objects,omitempty"`
	Statement       *model.Envelope              `json:"statement,omitempty"`
	Services        map[string]model.Score       `json:"services"`
	Pillars         map[model.Pillar]model.Score `json:"pillars"`
	Tally           model.Tally                  `json:"tally"`
	Wanted          model.Tally                  `json:"wanted,omitempty"`
	Gaps            []model.GapCount             `json:"gaps"`
	Load            map[string]model.Load        `json:"load,omitempty"`
}

// apart takes the detail out of a record, which is of a copy of the audit.
func (r *auditRecord) apart() auditDetail {
	d := auditDetail{Checks: r.Checks, TrustedAccounts: r.TrustedAccounts, Options: r.Options, Permissions: r.Permissions, Trust: r.Trust, Objects: r.Objects, Statement: r.Statement}
	r.Checks, r.TrustedAccounts, r.Options, r.Permissions, r.Trust, r.Objects, r.Statement = nil, nil, nil, nil, nil, nil, nil
	if s := r.Summary; s != nil {
		d.Services, d.Pillars, d.Tally, d.Wanted, d.Gaps, d.Load = s.Services, s.Pillars, s.Tally, s.Wanted, s.Gaps, s.Load
		r.Summary = &model.Summary{Score: s.Score, Failed: s.Failed, Counts: s.Counts, Changes: s.Changes, Resources: s.Resources, Calls: s.Calls}
	}
	return d
}

// join puts a detail that was read back.
func (d auditDetail) join(a *model.Audit) {
	a.Checks, a.TrustedAccounts, a.Options, a.Permissions, a.Trust, a.Objects, a.Statement = d.Checks, d.TrustedAccounts, d.Options, d.Permissions, d.Trust, d.Objects, d.Statement
	if s := a.Summary; s != nil {
		s.Services, s.Pillars, s.Tally, s.Wanted, s.Gaps, s.Load = d.Services, d.Pillars, d.Tally, d.Wanted, d.Gaps, d.Load
	}
	a.Detail.Unread = false
}

// audit is a record that was read, without its detail.
func (r auditRecord) audit(version int64) model.Audit {
	a := r.Audit
	a.Version = version
	if r.Detail != nil {
		a.Detail = model.AuditDetail{Name: r.Detail.Name, Digest: r.Detail.Digest, Unread: true}
	}
	return a
}

// PutAudit writes an audit if it is unchanged since it was read, and moves its
// Version on; ErrConflict otherwise. A new audit has version 0.
func (o *Organization) PutAudit(ctx context.Context, a *model.Audit) error {
	return o.ChangeAudit(ctx, model.Change{}, a)
}

// ChangeAudit is PutAudit for what somebody wants begun, stopped or done again, which the
// admin log says.
func (o *Organization) ChangeAudit(ctx context.Context, by model.Change, a *model.Audit) error {
	r, detail := auditRecord{Audit: *a}, a.Detail
	var err error
	if !detail.Unread {
		if detail, err = o.putDetail(ctx, &r); err != nil {
			return fmt.Errorf("write audit %s: %w", a.ID, err)
		}
	}
	if detail.Name != "" {
		r.Detail = &detailName{detail.Name, detail.Digest}
	}
	key, index := o.auditKey(a.Connection, a.ID)
	item, err := encode(key, index, a.Version, r)
	if err == nil {
		err = o.putLogged(ctx, item, by, "connection/"+string(a.Connection)+"/audit/"+string(a.ID), courseOf)
	}
	if err != nil {
		return fmt.Errorf("write audit %s: %w", a.ID, err)
	}
	if was := a.Detail.Name; was != "" && was != detail.Name {
		_ = o.table.Delete(ctx, o.detailKey(a.Connection, a.ID, was)) // or else the purge takes it
	}
	a.Version++
	a.Detail = detail
	return nil
}

// putDetail takes the detail out of the record of an audit that ended, and writes it if it is
// another than before.
func (o *Organization) putDetail(ctx context.Context, r *auditRecord) (model.AuditDetail, error) {
	if !r.State.Ended() {
		return model.AuditDetail{}, nil
	}
	item, err := encode(o.detailKey(r.Connection, r.ID, ulid.Make().String()), table.Key{}, 0, detailRecord{r.apart()})
	if err != nil {
		return model.AuditDetail{}, err
	}
	sum := sha256.Sum256(item.Body)
	detail := model.AuditDetail{Name: item.SK, Digest: hex.EncodeToString(sum[:])}
	if r.Audit.Detail.Digest == detail.Digest {
		return r.Audit.Detail, nil
	}
	return detail, o.table.Put(ctx, item)
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

// Audit reads an audit whole.
func (o *Organization) Audit(ctx context.Context, connection model.ConnectionID, id model.AuditID) (model.Audit, error) {
	key, _ := o.auditKey(connection, id)
	var missing error
	for range rereads {
		var r auditRecord
		item, err := o.get(ctx, key, &r)
		if err != nil {
			return model.Audit{}, fmt.Errorf("audit %s: %w", id, err)
		}
		a := r.audit(item.Version)
		if !a.Detail.Unread {
			return a, nil
		}
		var d detailRecord
		if _, missing = o.get(ctx, o.detailKey(connection, id, a.Detail.Name), &d); missing == nil {
			d.Detail.join(&a)
			return a, nil
		}
		if !isMissing(missing) {
			return model.Audit{}, fmt.Errorf("audit %s: its detail: %w", id, missing)
		}
	}
	return model.Audit{}, fmt.Errorf("audit %s: its detail is gone: %s", id, missing.Error()) // which is not that there is no audit
}

// rereads is how often an audit is read whose detail is gone: another took its place.
const rereads = 10

// WholeAudit is an audit of a list with its detail.
func (o *Organization) WholeAudit(ctx context.Context, a model.Audit) (model.Audit, error) {
	if !a.Detail.Unread {
		return a, nil
	}
	return o.Audit(ctx, a.Connection, a.ID)
}

// Audits lists all audits of the organization, newest first, without their detail
// (model.AuditDetail). An audit that was written a moment ago may be missing.
func (o *Organization) Audits(ctx context.Context) ([]model.Audit, error) {
	return o.audits(ctx, "list audits", table.Query{Index: true, PK: o.key("AUDITS"), Desc: true})
}

// AuditsOf lists the audits of a connection, newest first, without their detail.
func (o *Organization) AuditsOf(ctx context.Context, connection model.ConnectionID) ([]model.Audit, error) {
	return o.audits(ctx, "list audits of "+string(connection), table.Query{PK: o.key("AUDIT", string(connection)), Desc: true})
}

func (o *Organization) audits(ctx context.Context, doing string, q table.Query) (all []model.Audit, err error) {
	var version int64
	for r, err := range each(ctx, o.table, q, func(_ *auditRecord, v int64) { version = v }) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		all = append(all, r.audit(version))
	}
	return all, nil
}

// AuditsPage lists some audits of a connection, newest first, those that come after a cursor
// of an earlier page, without their detail.
func (o *Organization) AuditsPage(ctx context.Context, connection model.ConnectionID, cursor string, limit int) (page []model.Audit, next string, err error) {
	q := table.Query{PK: o.key("AUDIT", string(connection)), Desc: true, Cursor: cursor, Limit: limit}
	var versions []int64
	records, next, err := onePage(ctx, o.table, q, func(_ *auditRecord, v int64) { versions = append(versions, v) })
	if err != nil {
		return nil, "", fmt.Errorf("list audits of %s: %w", connection, err)
	}
	for i, r := range records {
		page = append(page, r.audit(versions[i]))
	}
	return page, next, nil
}

// LatestAudit is the newest audit of a connection that wanted accepts, whole, or ErrNotFound.
// It reads no further than to that audit; wanted is asked without its detail.
func (o *Organization) LatestAudit(ctx context.Context, connection model.ConnectionID, wanted func(model.Audit) bool) (model.Audit, error) {
	a, err := o.LatestInShort(ctx, connection, wanted)
	if err != nil {
		return a, err
	}
	return o.WholeAudit(ctx, a)
}

// LatestInShort is LatestAudit without the detail of what it finds.
func (o *Organization) LatestInShort(ctx context.Context, connection model.ConnectionID, wanted func(model.Audit) bool) (model.Audit, error) {
	q := table.Query{PK: o.key("AUDIT", string(connection)), Desc: true, Limit: 3}
	var version int64
	for r, err := range each(ctx, o.table, q, func(_ *auditRecord, v int64) { version = v }) {
		if err != nil {
			return model.Audit{}, fmt.Errorf("latest audit of %s: %w", connection, err)
		}
		if a := r.audit(version); wanted(a) {
			return a, nil
		}
	}
	return model.Audit{}, fmt.Errorf("latest audit of %s: %w", connection, ErrNotFound)
}

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
