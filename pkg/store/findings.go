package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }

// A scope is what the evidence of one service, or of all rules that look across
// services, is taken in to. Its findings share a partition, or are spread over
// manyParts by the first digit of their id where a first audit found many: a
// partition of DynamoDB takes a thousand writes a second. The index path leads from a
// finding's id alone to its record, over 256 partitions.

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

func (o *Organization) findingIndex(id model.FindingID) table.Key {
	shard := string(id)
	if len(shard) > 2 {
		shard = shard[:2]
	}
	return table.Key{PK: o.key("FINDINGS", shard), SK: string(id)}
}

// EachFinding yields the findings of a scope, open and resolved, in the order of
// their ids, a page at a time.
func (o *Organization) EachFinding(ctx context.Context, connection model.ConnectionID, scope string, parts int) iter.Seq2[model.Finding, error] {
	return func(yield func(model.Finding, error) bool) {
		for _, pk := range o.partitions(connection, scope, parts) {
			for f, err := range each(ctx, o.table, table.Query{PK: pk, Limit: table.MaxLimit}, o.read) {
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

// read completes a finding that was decoded.
func (o *Organization) read(f *model.Finding, v int64) {
	f.Version = v
	// What is stored is how grave it was when it was written.
	if severity, known := o.severity(f.Check); known {
		f.Severity = severity
	}
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
		found, inner, err := onePage[model.Finding](ctx, o.table, table.Query{PK: partitions[at], Cursor: cursor, Limit: limit - len(page)}, o.read)
		if err != nil {
			return nil, "", fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
		}
		page = append(page, found...)
		if cursor = inner; inner != "" {
			break
		}
	}
	if at == len(partitions) {
		return page, "", nil
	}
	return page, strconv.FormatInt(int64(at), manyParts) + "~" + cursor, nil
}

// Finding reads a finding by its id.
func (o *Organization) Finding(ctx context.Context, id model.FindingID) (model.Finding, error) {
	index := o.findingIndex(id)
	found, err := list(ctx, o.table, table.Query{Index: true, PK: index.PK, Prefix: index.SK}, o.read)
	if err != nil {
		return model.Finding{}, fmt.Errorf("finding %s: %w", id, err)
	}
	for _, f := range found {
		if f.ID == id {
			return f, nil
		}
	}
	return model.Finding{}, fmt.Errorf("finding %s: %w", id, ErrNotFound)
}

// PutFinding writes a finding if it is unchanged since it was read; ErrConflict
// otherwise. A new one has version 0. parts is the Scope's.
func (o *Organization) PutFinding(ctx context.Context, scope string, parts int, f model.Finding) error {
	key := table.Key{PK: o.findingsKey(f.Connection, scope, parts, f.ID), SK: string(f.ID)}
	item, err := encode(key, o.findingIndex(f.ID), f.Version, f)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write finding %s: %w", f.ID, err)
	}
	return nil
}

// FindingOf reads a finding of a scope, with certainty: Finding, which needs no
// scope, may lag behind.
func (o *Organization) FindingOf(ctx context.Context, connection model.ConnectionID, scope string, parts int, id model.FindingID) (f model.Finding, err error) {
	item, err := o.get(ctx, table.Key{PK: o.findingsKey(connection, scope, parts, id), SK: string(id)}, &f)
	if err != nil {
		return f, fmt.Errorf("finding %s: %w", id, err)
	}
	o.read(&f, item.Version)
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
	// Checks and Regions are what older versions kept instead.
	Checks  []model.CheckID `json:"checks,omitempty"`
	Regions []string        `json:"regions,omitempty"`

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

// Look is checks, each of which looked at each of some regions.
type Look struct {
	Checks  []model.CheckID `json:"checks"` // sorted, as Regions
	Regions []string        `json:"regions"`
}

// At reports whether a check looked at a region, or for what is of no region, at all.
func (l Look) At(check model.CheckID, region string) bool {
	return slices.Contains(l.Checks, check) && (region == model.Global || slices.Contains(l.Regions, region))
}

// mostLooks bounds what a record keeps apart. Beyond it looks are put together, as if
// all of their checks had looked at all of their regions: at worst, what is no news is
// told once.
const mostLooks = 16

// AddLook adds what was looked at to what was before.
func AddLook(looks []Look, l Look) []Look {
	if len(l.Checks) == 0 || len(l.Regions) == 0 {
		return looks
	}
	l = l.and(Look{})
	var kept []Look
	for _, k := range looks {
		more, wider := covers(k.Checks, l.Checks), covers(k.Regions, l.Regions)
		within, narrower := covers(l.Checks, k.Checks), covers(l.Regions, k.Regions)
		switch {
		case more && wider:
			return looks
		case within && narrower: // it says nothing more
		case more && within, wider && narrower:
			l = l.and(k)
		default:
			kept = append(kept, k)
		}
	}
	if kept = append(kept, l); len(kept) > mostLooks {
		kept[1] = kept[1].and(kept[0])
		kept = kept[1:]
	}
	return kept
}

// and is two looks as one.
func (l Look) and(k Look) Look {
	return Look{sorted(slices.Concat(k.Checks, l.Checks)), sorted(slices.Concat(k.Regions, l.Regions))}
}

// covers reports whether all of some are in a set.
func covers[T comparable](set, some []T) bool {
	return !slices.ContainsFunc(some, func(one T) bool { return !slices.Contains(set, one) })
}

func sorted[T cmp.Ordered](all []T) []T {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
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
