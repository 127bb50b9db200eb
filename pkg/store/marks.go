package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Lists are answered from an index, which is made of the findings (pkg/results/index).
// What tells that it is stale is written here: a mark for each connection that has
// findings, and a count of the changes of all marks of a shard. Whoever is to write
// findings says so before, and says when all are written: mark, count, findings, mark,
// count. So whoever reads a count, then the marks, then findings, and dies or is overtaken
// in between, has something of which the next can tell that it is old.

// Shards is how many parts the index of an organization has.
const Shards = 64

// ShardOf is the shard that a connection's findings are in.
func ShardOf(connection model.ConnectionID) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(connection))
	return int(hash.Sum32() % Shards)
}

// Mark says in what state the findings of a connection are, who sees them, and who may be
// changing either.
type Mark struct {
	Connection model.ConnectionID `json:"-"`
	// Content is of this state of the findings, and Called of this state of what the connection
	// is called, as far as who changed it said that it is done: what the index has of them is to
	// be read anew when it is of another. No other state has the same, also when the mark was
	// deleted and made again, or the whole table went back to an earlier moment.
	Content string `json:"content"`
	Called  string `json:"called"`
	// Projects are those that somebody has to see who is to see the findings: none of a
	// connection that belongs to none. They are two or more, and one may be "", while the
	// connection moves from one to another.
	Projects []string `json:"projects,omitempty"`
	// Writers are who may be writing findings, and until when at the latest.
	Writers map[string]time.Time `json:"writers,omitempty"`
	// Movers are who may be giving the connection another project, and until when at the
	// latest, and Namers who may be giving it another name.
	Movers map[string]time.Time `json:"movers,omitempty"`
	Namers map[string]time.Time `json:"namers,omitempty"`
	// Since is since when there is any of them, without a pause.
	Since time.Time `json:"since,omitzero"`

	Version int64 `json:"-"`
}

// Writing is until when findings may be written by who said so; zero is that nobody did.
func (m Mark) Writing() time.Time { return last(m.Writers) }

// Without is the mark as it is when a writer is done.
func (m Mark) Without(writer string) Mark {
	m.Writers = maps.Clone(m.Writers)
	delete(m.Writers, writer)
	return m
}

// Moving is until when the project or the name may be changed by who said so; zero is that
// nobody did.
func (m Mark) Moving() time.Time {
	moving, naming := last(m.Movers), last(m.Namers)
	if naming.After(moving) {
		return naming
	}
	return moving
}

func last(of map[string]time.Time) (until time.Time) {
	for _, t := range of {
		if t.After(until) {
			until = t
		}
	}
	return until
}

// quiet reports whether nobody said that he changes something.
func (m *Mark) quiet() bool { return len(m.Writers)+len(m.Movers)+len(m.Namers) == 0 }

// begin notes who changes something, until a moment at the latest.
func (m *Mark) begin(who *map[string]time.Time, by string, now, until time.Time) {
	if m.quiet() {
		m.Since = now.UTC()
	}
	if *who == nil {
		*who = map[string]time.Time{}
	}
	(*who)[by] = until.UTC()
}

func (o *Organization) markPartition(shard int) string { return o.key("MARK", strconv.Itoa(shard)) }

func (o *Organization) markKey(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.markPartition(ShardOf(connection)), SK: string(connection)}
}

// BeginFindings says that findings of a connection are to be written from now on, until a
// moment at the latest; by is who. It comes before the first of them.
func (o *Organization) BeginFindings(ctx context.Context, connection model.ConnectionID, by string, now, until time.Time) error {
	return o.mark(ctx, connection, func(m *Mark) error {
		m.begin(&m.Writers, by, now, until)
		return nil
	})
}

// EndFindings says that all are written. Also who wrote none may say so, and has the
// index made anew.
func (o *Organization) EndFindings(ctx context.Context, connection model.ConnectionID, by string, now time.Time) error {
	return o.EndPrepared(ctx, connection, by, Prepared{}, now)
}

// Prepared is an index of findings that was made before it was said that they are written, when
// all of them were: it is of Content, if the findings were those of From then. The zero
// Prepared is none.
type Prepared struct{ From, Content string }

// EndPrepared is EndFindings by who made the index before, so that nobody has to who reads:
// unless others wrote meanwhile.
func (o *Organization) EndPrepared(ctx context.Context, connection model.ConnectionID, by string, p Prepared, now time.Time) error {
	return o.mark(ctx, connection, func(m *Mark) error {
		maps.DeleteFunc(m.Writers, func(writer string, until time.Time) bool {
			return writer == by || until.Add(time.Hour).Before(now) // who died
		})
		if m.Content != p.From || len(m.Writers) > 0 {
			p.Content = ""
		}
		m.Content = p.Content
		return o.settleMove(ctx, m, now)
	})
}

// moveFor is how long a move is under way at the latest, and moveWithin how long its write
// may take.
const (
	moveFor    = 2 * time.Minute
	moveWithin = 30 * time.Second
)

// move changes a connection, which may have another project or name by it. Its findings are
// shown to nobody who does not see both projects until the write is known to have been made,
// or not: so whoever dies in between hides them from some, and shows them to nobody, and
// leaves a name that is looked at again. Several who move it at once are all waited for. Who
// died is forgotten by the next change of the connection, or the end of its next audit.
func (o *Organization) move(ctx context.Context, c *model.Connection, now time.Time, write func(context.Context) error) error {
	if c.Version == 0 {
		if err := write(ctx); err != nil {
			return err
		}
		// From now on it is one that was never audited. If that is not noted, its first audit,
		// or verification, does it.
		return o.remark(ctx, c.ID)
	}
	before, err := o.connectionItself(ctx, c.ID)
	if isMissing(err) || err == nil && before.Version != c.Version {
		return write(ctx) // which fails
	}
	if err != nil {
		return err
	}
	by := "" // who changes nothing that lists have
	if before.Project != c.Project || before.Name != c.Name || before.AccountID != c.AccountID {
		by = ulid.Make().String()
		err := o.mark(ctx, c.ID, func(m *Mark) error {
			who := &m.Namers
			if before.Project != c.Project {
				who = &m.Movers
				m.show(before.Project, c.Project)
			}
			m.begin(who, by, now, now.Add(moveFor))
			return nil
		})
		if err != nil {
			return err
		}
	}
	within, cancel := context.WithTimeout(ctx, moveWithin)
	defer cancel()
	err = write(within)
	if err != nil && !isConflict(err) {
		return err // and the write may be on its way still
	}
	return errors.Join(err, o.endMove(context.WithoutCancel(ctx), c.ID, by, now))
}

// show has somebody see these projects, too, who is to see the findings.
func (m *Mark) show(projects ...string) {
	shown := m.Projects
	if len(shown) == 0 {
		shown = []string{""}
	}
	m.Projects = slices.Concat(shown, projects)
	slices.Sort(m.Projects)
	m.Projects = slices.Compact(m.Projects)
}

// remark says that lists are to look at a connection again.
func (o *Organization) remark(ctx context.Context, connection model.ConnectionID) error {
	return o.mark(ctx, connection, func(*Mark) error { return nil })
}

// endMove shows the findings of a connection to whom its project says, unless others still
// move it. Who moves nothing may say so, too, of those who died.
func (o *Organization) endMove(ctx context.Context, connection model.ConnectionID, by string, now time.Time) error {
	if by == "" {
		m, marked, err := o.MarkOf(ctx, connection)
		if err != nil || !marked || len(m.Movers)+len(m.Namers) == 0 {
			return err
		}
	}
	return o.mark(ctx, connection, func(m *Mark) error {
		m.Called = ""
		delete(m.Movers, by)
		delete(m.Namers, by)
		return o.settleMove(ctx, m, now)
	})
}

// settleMove has the project of the connection itself say who sees the findings, when nobody
// moves it any more, and what it is called be read again.
func (o *Organization) settleMove(ctx context.Context, m *Mark, now time.Time) error {
	known := len(m.Namers)
	if maps.DeleteFunc(m.Namers, func(_ string, until time.Time) bool { return !now.Before(until) }); len(m.Namers) < known {
		m.Called = ""
	}
	for _, until := range m.Movers {
		if now.Before(until) {
			return nil
		}
	}
	if len(m.Movers) == 0 && len(m.Projects) < 2 {
		return nil
	}
	c, err := o.connectionItself(ctx, m.Connection)
	if isMissing(err) {
		return nil // nobody sees what is purged
	}
	if err == nil {
		m.Movers, m.Projects, m.Called = nil, projectsOf(c), ""
	}
	return err
}

// projectsOf is what Mark.Projects says of a connection that does not move.
func projectsOf(c model.Connection) []string {
	if c.Project == "" {
		return nil
	}
	return []string{c.Project}
}

func (o *Organization) mark(ctx context.Context, connection model.ConnectionID, change func(*Mark) error) error {
	key := o.markKey(connection)
	_, err := table.Update(ctx, o.table, key, func(item *table.Item) error {
		var m Mark
		if item.Version > 0 {
			if err := decode(*item, &m); err != nil {
				return err
			}
		} else {
			c, err := o.connectionItself(ctx, connection)
			if isMissing(err) {
				return table.ErrSkip // it is purged
			}
			if err != nil {
				return err
			}
			m.Projects = projectsOf(c)
		}
		m.Connection, m.Version = connection, item.Version
		if err := change(&m); err != nil {
			return err
		}
		m.Content = cmp.Or(m.Content, ulid.Make().String())
		m.Called = cmp.Or(m.Called, ulid.Make().String())
		if m.quiet() {
			m.Since = time.Time{}
		}
		written, err := encode(item.Key, item.Index, item.Version, m)
		item.Body = written.Body
		return err
	})
	if err == nil {
		err = o.countMark(ctx, connection)
	}
	if err != nil {
		return fmt.Errorf("mark the findings of connection %s: %w", connection, err)
	}
	return nil
}

// HideFindings takes the findings of a connection out of the index. It comes before they
// are deleted.
func (o *Organization) HideFindings(ctx context.Context, connection model.ConnectionID) error {
	err := o.table.Delete(ctx, o.markKey(connection))
	if err == nil {
		err = o.countMark(ctx, connection)
	}
	if err != nil {
		return fmt.Errorf("hide the findings of connection %s: %w", connection, err)
	}
	return nil
}

func (o *Organization) countMark(ctx context.Context, connection model.ConnectionID) error {
	return o.countShard(ctx, ShardOf(connection))
}

// countShard says that marks of a shard changed. It counts in steps of random length, so that
// a table that went back to an earlier moment never comes to a count that it had before.
func (o *Organization) countShard(ctx context.Context, shard int) error {
	_, err := o.table.Add(ctx, table.Key{PK: o.key("MARKS"), SK: strconv.Itoa(shard)}, 1+rand.Int64N(mostStep), time.Time{})
	return err
}

// mostStep is the longest step of a count, which may make as many before it is over.
const mostStep = 1 << 31

// allMarked is the key of what says that MarkAll came to its end.
func (o *Organization) allMarked() table.Key { return table.Key{PK: o.key("MARKS"), SK: "all"} }

const (
	// marksAtOnce is how many marks are written at a time.
	marksAtOnce = 32
	// upgradeFor is how long a function of an earlier release may go on after this one came.
	upgradeFor = 15 * time.Minute
)

// MarkAll marks the connections that have no mark: releases that knew of none wrote their
// findings. It is done once for an organization; whoever dies over it is followed by
// somebody who begins again. Of connections that are audited it is said that their findings
// are being written, since that may be by such a release.
func (o *Organization) MarkAll(ctx context.Context, now time.Time) error {
	if err := o.markAll(ctx, now); err != nil {
		return fmt.Errorf("mark the findings of organization %s: %w", o.id, err)
	}
	return nil
}

func (o *Organization) markAll(ctx context.Context, now time.Time) error {
	audited := map[model.ConnectionID]bool{}
	for due, err := range each[Due](ctx, o.table, table.Query{PK: o.key("CLOCK", string(boundClock))}, nil) {
		if err != nil {
			return err
		}
		audited[due.Connection] = true
	}
	var used [Shards]bool
	group, marking := errgroup.WithContext(ctx)
	group.SetLimit(marksAtOnce)
	for c, err := range o.EveryConnection(ctx) {
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if c.State == model.ConnectionDeleted {
			continue
		}
		used[ShardOf(c.ID)] = true
		m := Mark{Content: ulid.Make().String(), Called: ulid.Make().String(), Projects: projectsOf(c)}
		if audited[c.ID] {
			m.begin(&m.Writers, "upgrade", now, now.Add(upgradeFor))
		}
		group.Go(func() error {
			item, err := encode(o.markKey(c.ID), table.Key{}, 0, m)
			if err == nil {
				err = o.table.Put(marking, item)
			}
			if isConflict(err) {
				return nil // it has one
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// All that may have a mark, since whoever died may have written one and not counted it.
	for shard, any := range used {
		if any {
			if err := o.countShard(ctx, shard); err != nil {
				return err
			}
		}
	}
	item, err := encode(o.allMarked(), table.Key{}, 0, struct {
		At time.Time `json:"at"`
	}{now.UTC()})
	if err == nil {
		err = o.table.Put(ctx, item)
	}
	if isConflict(err) {
		return nil
	}
	return err
}

// MarkCounts tell whether marks of an organization changed.
type MarkCounts struct {
	// Shards grow with each change of a mark.
	Shards [Shards]int64
	// All says that MarkAll was done: without it, connections may have findings and no mark.
	All bool
}

// MarkCounts reads them, by one query.
func (o *Organization) MarkCounts(ctx context.Context) (counts MarkCounts, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("MARKS")}) {
		if err != nil {
			return counts, fmt.Errorf("counts of marks: %w", err)
		}
		if item.Key == o.allMarked() {
			counts.All = true
			continue
		}
		shard, err := strconv.Atoi(item.SK)
		if err != nil || shard < 0 || shard >= Shards {
			return counts, fmt.Errorf("counts of marks: %q is no shard", item.SK)
		}
		counts.Shards[shard] = item.Version
	}
	return counts, nil
}

// Marks yields the marks of a shard, in the order of their connections.
func (o *Organization) Marks(ctx context.Context, shard int) iter.Seq2[Mark, error] {
	return func(yield func(Mark, error) bool) {
		for item, err := range table.All(ctx, o.table, table.Query{PK: o.markPartition(shard), Limit: table.MaxLimit}) {
			var m Mark
			if err == nil {
				err = decode(item, &m)
			}
			if err != nil {
				yield(m, fmt.Errorf("marks of shard %d: %w", shard, err))
				return
			}
			m.Connection, m.Version = model.ConnectionID(item.SK), item.Version
			if !yield(m, nil) {
				return
			}
		}
	}
}

// MarkOf reads the mark of a connection; false if it has none.
func (o *Organization) MarkOf(ctx context.Context, connection model.ConnectionID) (m Mark, marked bool, err error) {
	item, err := o.get(ctx, o.markKey(connection), &m)
	if errors.Is(err, ErrNotFound) {
		return Mark{}, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("mark of connection %s: %w", connection, err)
	}
	m.Connection, m.Version = connection, item.Version
	return m, true, nil
}
