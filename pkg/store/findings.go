package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }

// A scope is what the evidence of one service, or of all rules that look across
// services, is taken in to. Its findings share a partition, or are spread over
// manyParts by the first digit of their id where a first audit found many: a
// partition of DynamoDB takes a thousand writes a second.

// manyParts is over how many partitions the findings of a large scope are spread:
// one for each first digit of an id, so that they are in order one after the other.
const manyParts = 16

// PartsFor is how many partitions a scope has that begins with so many findings.
func PartsFor(findings int) int {
	if findings > 5_000 {
		return manyParts
	}
	return 1
}

// findingsKey is the partition of a finding, by its id or a digit that it begins with.
func (o *Organization) findingsKey(connection model.ConnectionID, scope string, parts int, id model.FindingID) string {
	if parts == manyParts {
		return o.key("FINDING", string(connection), scope, string(id[:1]))
	}
	return o.key("FINDING", string(connection), scope)
}

// partitions are those of a scope's findings, in the order of ids.
func (o *Organization) partitions(connection model.ConnectionID, scope string, parts int) []string {
	if parts != manyParts {
		return []string{o.findingsKey(connection, scope, parts, "")}
	}
	all := make([]string, manyParts)
	for i := range all {
		all[i] = o.findingsKey(connection, scope, parts, model.FindingID(strconv.FormatInt(int64(i), manyParts)))
	}
	return all
}

// EachFinding yields the findings of a scope, open and resolved, in the order of
// their ids, a page at a time.
func (o *Organization) EachFinding(ctx context.Context, connection model.ConnectionID, scope string, parts int) iter.Seq2[model.Finding, error] {
	return func(yield func(model.Finding, error) bool) {
		for _, pk := range o.partitions(connection, scope, parts) {
			for item, err := range table.All(ctx, o.table, table.Query{PK: pk, Limit: table.MaxLimit}) {
				var f model.Finding
				if err == nil {
					f, err = o.read(item)
				}
				if err != nil {
					yield(f, fmt.Errorf("list findings of %s, %s: %w", connection, scope, err))
					return
				}
				if !yield(f, nil) {
					return
				}
			}
		}
	}
}

// Findings lists the findings of a scope, open and resolved.
func (o *Organization) Findings(ctx context.Context, connection model.ConnectionID, scope string) (all []model.Finding, err error) {
	record, err := o.Scope(ctx, connection, scope)
	if err != nil {
		return nil, err
	}
	for f, err := range o.EachFinding(ctx, connection, scope, record.Parts) {
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// read decodes a finding, as grave as its check is today: what is stored is how grave
// it was when it was written.
func (o *Organization) read(item table.Item) (model.Finding, error) {
	f, err := decodeFinding(item)
	if severity, known := o.severity(f.Check); known {
		f.Severity = severity
	}
	return f, err
}

// FindingsPage lists some findings of a scope, those that come after a cursor of
// an earlier page.
func (o *Organization) FindingsPage(ctx context.Context, connection model.ConnectionID, scope, cursor string, limit int) (page []model.Finding, next string, err error) {
	record, err := o.Scope(ctx, connection, scope)
	if err != nil {
		return nil, "", err
	}
	partitions := o.partitions(connection, scope, record.Parts)
	at := 0
	if digit, rest, found := strings.Cut(cursor, "~"); found {
		n, err := strconv.ParseUint(digit, manyParts, 8)
		if err != nil || int(n) >= len(partitions) {
			return nil, "", fmt.Errorf("list findings of %s, %s: %w", connection, scope, table.ErrCursor)
		}
		at, cursor = int(n), rest
	}
	for ; at < len(partitions) && len(page) < limit; at++ {
		found, err := o.table.Query(ctx, table.Query{PK: partitions[at], Cursor: cursor, Limit: limit - len(page)})
		if err != nil {
			return nil, "", fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
		}
		for _, item := range found.Items {
			f, err := o.read(item)
			if err != nil {
				return nil, "", fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
			}
			page = append(page, f)
		}
		if cursor = found.Cursor; cursor != "" {
			break
		}
	}
	if at == len(partitions) {
		return page, "", nil
	}
	return page, strconv.FormatInt(int64(at), manyParts) + "~" + cursor, nil
}

// findingsAtOnce bounds how many places are looked at for a finding at a time.
const findingsAtOnce = 16

// Finding reads a finding of a connection by its id: it is in one of the scopes given,
// or ErrNotFound. Of a check that has moved to another scope there are two: the open one
// is that of now.
func (o *Organization) Finding(ctx context.Context, connection model.ConnectionID, scopes []string, id model.FindingID) (model.Finding, error) {
	var mu sync.Mutex
	var found *model.Finding
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(findingsAtOnce)
	for _, scope := range scopes {
		for _, parts := range []int{1, manyParts} {
			group.Go(func() error {
				f, err := o.FindingOf(looking, connection, scope, parts, id)
				if isMissing(err) {
					return nil
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					if found == nil || f.State.Open() {
						found = &f
					}
				}
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return model.Finding{}, err
	}
	if found == nil {
		return model.Finding{}, fmt.Errorf("finding %s: %w", id, ErrNotFound)
	}
	return *found, nil
}

// PutFinding writes a finding if it is unchanged since it was read; ErrConflict
// otherwise. A new one has version 0. parts is the Scope's.
func (o *Organization) PutFinding(ctx context.Context, scope string, parts int, f model.Finding) error {
	key := table.Key{PK: o.findingsKey(f.Connection, scope, parts, f.ID), SK: string(f.ID)}
	item, err := encodeFinding(key, f)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write finding %s: %w", f.ID, err)
	}
	return nil
}

// FindingOf reads a finding of a scope.
func (o *Organization) FindingOf(ctx context.Context, connection model.ConnectionID, scope string, parts int, id model.FindingID) (f model.Finding, err error) {
	item, err := o.table.Get(ctx, table.Key{PK: o.findingsKey(connection, scope, parts, id), SK: string(id)})
	if err == nil {
		f, err = o.read(item)
	}
	if err != nil {
		return f, fmt.Errorf("finding %s: %w", id, err)
	}
	return f, nil
}

// DeleteFinding removes a finding that another one has replaced.
func (o *Organization) DeleteFinding(ctx context.Context, connection model.ConnectionID, scope string, parts int, id model.FindingID) error {
	if err := o.table.Delete(ctx, table.Key{PK: o.findingsKey(connection, scope, parts, id), SK: string(id)}); err != nil {
		return fmt.Errorf("delete finding %s: %w", id, err)
	}
	return nil
}

// Scope is the record of a scope: which audit it takes in, or took in last, and how
// far that is. It orders audits, and whoever holds it is the one that writes the
// scope's findings and announces what became of them.
type Scope struct {
	Audit model.AuditID `json:"audit"`
	Began time.Time     `json:"began,omitzero"`  // when that audit did: an older one never writes over a newer one
	Try   int           `json:"retry,omitempty"` // which of the audit's tries
	First bool          `json:"first,omitempty"` // no audit was taken in before
	Parts int           `json:"parts,omitempty"` // partitions of the findings; see PartsFor

	// Done says that all is written and announced. Until then Cursor is the last
	// finding that is written with all before it, and Announced how many of the
	// announcements are out.
	Done      bool            `json:"done,omitempty"`
	Cursor    model.FindingID `json:"cursor,omitempty"`
	Announced int             `json:"announced,omitempty"`
	Changes   model.Changes   `json:"changes,omitzero"`
	News      News            `json:"news,omitzero"`

	// Owed is what is still to be announced of an audit, or a try, that the record's own
	// took over from. As long as there is any, Announced counts it.
	Owed *Owed `json:"owed,omitempty"`

	// Looked is what any audit looked at: what the first look of a check at a region finds
	// is no change of the account.
	Looked []Look `json:"looked,omitempty"`
	// Options are what options of checks were set to by the last audit that ran them: what
	// changes with them is no change of the account either.
	Options model.CheckOptions `json:"options,omitempty"`

	// Unread is what the audit could not read in its time: the next one begins with it.
	Unread []model.Rest `json:"unread,omitempty"`

	// Holder is who works on the scope until HeldUntil; empty is nobody.
	Holder    string    `json:"holder,omitempty"`
	HeldUntil time.Time `json:"held_until,omitzero"`
	// Expires is when the record is forgotten; zero is never.
	Expires time.Time `json:"-"`

	version int64
}

// IsNew reports whether nothing was written of the scope yet.
func (s Scope) IsNew() bool { return s.version == 0 }

// News is what is to be announced of the changes in a scope.
type News struct {
	Told []Headline `json:"told,omitempty"` // one by one; empty when there are too many
	// Total, Counts and Severities are of all that is news; Worst are the gravest.
	Total      int                    `json:"total,omitempty"`
	Counts     model.Changes          `json:"counts,omitzero"`
	Severities map[model.Severity]int `json:"severities,omitempty"`
	Worst      []Headline             `json:"worst,omitempty"`
}

// Owed is news of an audit that is not the record's own any more.
type Owed struct {
	Audit model.AuditID `json:"audit"`
	Try   int           `json:"retry,omitempty"`
	News  News          `json:"news"`
}

// Tells reports whether a finding is among those that are told one by one.
func (n News) Tells(id model.FindingID) bool {
	return slices.ContainsFunc(n.Told, func(h Headline) bool { return h.Finding == id })
}

// Rename puts another id in a finding's place, and reports whether it had one.
func (n News) Rename(from, to model.FindingID) (renamed bool) {
	for _, headlines := range [][]Headline{n.Told, n.Worst} {
		for i := range headlines {
			if headlines[i].Finding == from {
				headlines[i].Finding, renamed = to, true
			}
		}
	}
	return renamed
}

// Headline is one change of a finding.
type Headline struct {
	Finding  model.FindingID `json:"finding"`
	What     model.EventKind `json:"what"`
	Severity model.Severity  `json:"severity"`
}

// Scope reads the record of a scope; the zero Scope before the first audit.
func (o *Organization) Scope(ctx context.Context, connection model.ConnectionID, scope string) (Scope, error) {
	var s Scope
	item, err := o.get(ctx, o.scopeKey(connection, scope), &s)
	if isMissing(err) {
		return Scope{}, nil
	}
	if err != nil {
		return s, fmt.Errorf("scope %s of %s: %w", scope, connection, err)
	}
	s.version, s.Expires = item.Version, item.Expires
	return s, nil
}

// PutScope writes the record of a scope if it is unchanged since it was read, and
// moves its version on; ErrConflict otherwise.
func (o *Organization) PutScope(ctx context.Context, connection model.ConnectionID, scope string, s *Scope) error {
	item, err := encode(o.scopeKey(connection, scope), table.Key{}, s.version, s)
	if err != nil {
		return err
	}
	item.Expires = s.Expires
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write scope %s of %s: %w", scope, connection, err)
	}
	s.version++
	return nil
}

func (o *Organization) scopeKey(connection model.ConnectionID, scope string) table.Key {
	return table.Key{PK: o.key("SCOPE", string(connection)), SK: table.Path(scope)}
}

// Scopes lists the names of all scopes of a connection that have a record.
func (o *Organization) Scopes(ctx context.Context, connection model.ConnectionID) (names []string, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("SCOPE", string(connection)), Limit: table.MaxLimit}) {
		if err != nil {
			return nil, fmt.Errorf("list scopes of %s: %w", connection, err)
		}
		names = append(names, item.SK)
	}
	slices.Sort(names)
	return names, nil
}
