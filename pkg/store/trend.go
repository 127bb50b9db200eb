package store

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Trends are small records that stay as long as what they are of: a line for each audit
// under its connection, and one for each day of a project and of the organization.

func (o *Organization) trendKey(connection model.ConnectionID, audit model.AuditID) table.Key {
	return table.Key{PK: o.key("TREND", string(connection)), SK: string(audit)}
}

// madeKey says that there is a line for each audit of before there were lines. It comes
// after all ids of audits.
const madeKey = "made"

// PutTrendLine writes the line of an audit, unless one of a later try is there.
func (o *Organization) PutTrendLine(ctx context.Context, connection model.ConnectionID, line model.TrendLine) error {
	_, err := table.Update(ctx, o.table, o.trendKey(connection, line.Audit), func(item *table.Item) error {
		if item.Version > 0 {
			var there model.TrendLine
			if err := decode(*item, &there); err != nil {
				return err
			}
			if there.Try > line.Try {
				return table.ErrSkip
			}
		}
		return replace(item, line)
	})
	if err != nil {
		return fmt.Errorf("write the trend of connection %s: %w", connection, err)
	}
	return nil
}

// replace gives an item another body; table.ErrSkip if it has that already.
func replace(item *table.Item, record any) error {
	written, err := encode(item.Key, item.Index, item.Version, record)
	if err != nil {
		return err
	}
	if item.Version > 0 && bytes.Equal(written.Body, item.Body) {
		return table.ErrSkip
	}
	item.Body = written.Body
	return nil
}

// TrendMade reports whether all audits of a connection have their lines that were made
// before there were lines.
func (o *Organization) TrendMade(ctx context.Context, connection model.ConnectionID) (bool, error) {
	_, err := o.table.Get(ctx, o.trendKey(connection, madeKey))
	if err != nil && !isMissing(err) {
		return false, fmt.Errorf("trend of connection %s: %w", connection, err)
	}
	return err == nil, nil
}

// PutTrendMade says so.
func (o *Organization) PutTrendMade(ctx context.Context, connection model.ConnectionID) error {
	if err := o.table.Put(ctx, table.Item{Key: o.trendKey(connection, madeKey), Body: []byte("{}")}); err != nil && !isConflict(err) {
		return fmt.Errorf("write the trend of connection %s: %w", connection, err)
	}
	return nil
}

// TrendLines yields the lines of a connection, those after an audit, the oldest first; from
// the first one on if after is empty. It need not be the id of an audit.
func (o *Organization) TrendLines(ctx context.Context, connection model.ConnectionID, after model.AuditID) iter.Seq2[model.TrendLine, error] {
	q := table.Query{PK: o.trendKey(connection, "").PK, Before: madeKey, Limit: table.MaxLimit}
	return trendLines(ctx, o.table, q, string(after), "trend of connection "+string(connection))
}

// TrendLinesBefore yields the lines of a connection that come before an id, the newest first.
func (o *Organization) TrendLinesBefore(ctx context.Context, connection model.ConnectionID, before model.AuditID) iter.Seq2[model.TrendLine, error] {
	q := table.Query{PK: o.trendKey(connection, "").PK, Before: string(before), Desc: true, Limit: 10}
	return trendLines(ctx, o.table, q, "", "trend of connection "+string(connection))
}

func trendLines(ctx context.Context, t table.Table, q table.Query, after, what string) iter.Seq2[model.TrendLine, error] {
	return func(yield func(model.TrendLine, error) bool) {
		if after != "" {
			q.Cursor = q.CursorAfter(table.Item{Key: table.Key{PK: q.PK, SK: after}})
		}
		for line, err := range each[model.TrendLine](ctx, t, q, nil) {
			if err != nil {
				err = fmt.Errorf("%s: %w", what, err)
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// rollUpPrefix is what the days of a project begin with, or those of the organization, if
// there is no project.
func rollUpPrefix(project string) string {
	if project == "" {
		return "organization#"
	}
	return table.Path("project", project) + "#"
}

func (o *Organization) rollUpKey(project string, day time.Time) table.Key {
	return table.Key{PK: o.key("ROLLUP"), SK: rollUpPrefix(project) + day.UTC().Format(time.DateOnly)}
}

// PutRollUp writes the line of a day (UTC) of a project, or of the organization, over what
// is there.
func (o *Organization) PutRollUp(ctx context.Context, project string, day time.Time, line model.TrendLine) error {
	_, err := table.Update(ctx, o.table, o.rollUpKey(project, day), func(item *table.Item) error {
		return replace(item, line)
	})
	if err != nil {
		return fmt.Errorf("write the trend of a day: %w", err)
	}
	return nil
}

// RollUp is the line of a day of a project, or of the organization.
type RollUp struct {
	Day time.Time // its beginning, in UTC
	model.TrendLine
}

// RollUps yields the days of a project, or of the organization, from a day on, the oldest
// first.
func (o *Organization) RollUps(ctx context.Context, project string, from time.Time) iter.Seq2[RollUp, error] {
	q := table.Query{PK: o.key("ROLLUP"), Prefix: rollUpPrefix(project), Limit: table.MaxLimit}
	if !from.IsZero() {
		before := o.rollUpKey(project, from.AddDate(0, 0, -1))
		q.Cursor = q.CursorAfter(table.Item{Key: before})
	}
	return o.rollUps(ctx, q)
}

// LastRollUp is the newest day of a project, or of the organization, before a day;
// ErrNotFound if there is none. The zero day is the end of time.
func (o *Organization) LastRollUp(ctx context.Context, project string, before time.Time) (RollUp, error) {
	q := table.Query{PK: o.key("ROLLUP"), Prefix: rollUpPrefix(project), Desc: true, Limit: 1}
	if !before.IsZero() {
		q.Cursor = q.CursorAfter(table.Item{Key: o.rollUpKey(project, before)})
	}
	for r, err := range o.rollUps(ctx, q) {
		return r, err
	}
	return RollUp{}, fmt.Errorf("trend of a day: %w", ErrNotFound)
}

func (o *Organization) rollUps(ctx context.Context, q table.Query) iter.Seq2[RollUp, error] {
	return func(yield func(RollUp, error) bool) {
		for item, err := range table.All(ctx, o.table, q) {
			var r RollUp
			if err == nil {
				err = decode(item, &r.TrendLine)
			}
			if err == nil {
				r.Day, err = time.Parse(time.DateOnly, item.SK[len(q.Prefix):])
			}
			if err != nil {
				err = fmt.Errorf("trend of a day: %w", err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// removeRollUps forgets the days of a project.
func (o *Organization) removeRollUps(ctx context.Context, project string) error {
	for {
		page, err := o.table.Query(ctx, table.Query{PK: o.key("ROLLUP"), Prefix: rollUpPrefix(project), Limit: table.MaxLimit})
		if err != nil || len(page.Items) == 0 {
			return err
		}
		for _, item := range page.Items {
			if err := o.table.Delete(ctx, item.Key); err != nil {
				return err
			}
		}
	}
}

// The trends of an organization are brought up to date some time after an audit ended, once
// for all that ended meanwhile. A record says that it is to be done, and a clock when.

type rollState string

const (
	rollIdle  rollState = ""      // nothing ended since it was done
	rollDue   rollState = "due"   // something did
	rollUnder rollState = "under" // somebody does it, and what ends now may be too late for that
)

type rolling struct {
	Organization model.OrganizationID `json:"organization"`
	State        rollState            `json:"state"`
	Began        time.Time            `json:"began"` // when it was done last
	At           time.Time            `json:"at"`    // when it is to be done
}

func (o *Organization) rollingKey() table.Key {
	return table.Key{PK: o.key("ROLLUP"), SK: "rolling"}
}

func (o *Organization) changeRolling(ctx context.Context, change func(*rolling) error) error {
	_, err := table.Update(ctx, o.table, o.rollingKey(), func(item *table.Item) error {
		r := rolling{Organization: o.id}
		if item.Version > 0 {
			if err := decode(*item, &r); err != nil {
				return err
			}
		}
		if err := change(&r); err != nil {
			return err
		}
		written, err := encode(item.Key, table.Key{}, item.Version, r)
		item.Body, item.Index = written.Body, table.Key{}
		if r.State != rollIdle {
			hash := fnv.New32a()
			_, _ = hash.Write([]byte(o.id))
			item.Index = table.Key{
				PK: table.Path("CLOCK", string(purgeClock), strconv.Itoa(int(hash.Sum32()%clockShards))),
				SK: table.Path(r.At.UTC().Format(time.RFC3339), string(o.id)),
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("when the trends of organization %s are due: %w", o.id, err)
	}
	return nil
}

// AskRollUp says that the trends of the organization are to be brought up to date, not
// sooner than so long after the last time.
func (o *Organization) AskRollUp(ctx context.Context, now time.Time, every time.Duration) error {
	return o.changeRolling(ctx, func(r *rolling) error {
		if r.State == rollDue {
			return table.ErrSkip
		}
		r.State, r.At = rollDue, now.UTC()
		if soonest := r.Began.Add(every); soonest.After(now) {
			r.At = soonest.UTC()
		}
		return nil
	})
}

// rollAgain is when somebody else does it who began it and did not end it.
const rollAgain = time.Hour

// BeginRollUp says that somebody brings the trends up to date now, for which that is due by a
// moment; false is that somebody else did.
func (o *Organization) BeginRollUp(ctx context.Context, now, by time.Time) (ours bool, err error) {
	err = o.changeRolling(ctx, func(r *rolling) error {
		ours = r.State != rollIdle && !r.At.After(by)
		if !ours {
			return table.ErrSkip
		}
		r.State, r.Began, r.At = rollUnder, now.UTC(), now.Add(rollAgain).UTC()
		return nil
	})
	return ours, err
}

// EndRollUp says that it is done, unless an audit ended since it was begun.
func (o *Organization) EndRollUp(ctx context.Context) error {
	return o.changeRolling(ctx, func(r *rolling) error {
		if r.State != rollUnder {
			return table.ErrSkip
		}
		r.State = rollIdle
		return nil
	})
}
