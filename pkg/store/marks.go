package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

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

// Mark says in what state the findings of a connection are. Any change of it says that the
// index of them is to be made anew.
type Mark struct {
	Connection model.ConnectionID `json:"-"`
	// Epoch is of this record: one that was deleted and made again has another.
	Epoch string `json:"epoch"`
	// Projects are those that somebody has to see who is to see the findings. They are two
	// while the connection moves from one to another.
	Projects []string `json:"projects,omitempty"`
	// Writers are who may be writing findings, and until when at the latest.
	Writers map[string]time.Time `json:"writers,omitempty"`

	Version int64 `json:"-"`
}

// Writing is until when findings may be written by who said so; zero is that nobody did.
func (m Mark) Writing() (until time.Time) {
	for _, t := range m.Writers {
		if t.After(until) {
			until = t
		}
	}
	return until
}

func (o *Organization) markKey(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("MARK", strconv.Itoa(ShardOf(connection))), SK: string(connection)}
}

// BeginFindings says that findings of a connection are to be written, until a moment at
// the latest; by is who. It comes before the first of them.
func (o *Organization) BeginFindings(ctx context.Context, connection model.ConnectionID, by string, until time.Time) error {
	return o.mark(ctx, connection, func(m *Mark) error {
		if m.Writers == nil {
			m.Writers = map[string]time.Time{}
		}
		m.Writers[by] = until.UTC()
		return nil
	})
}

// EndFindings says that all are written. Also who wrote none may say so, and has the
// index made anew.
func (o *Organization) EndFindings(ctx context.Context, connection model.ConnectionID, by string, now time.Time) error {
	return o.mark(ctx, connection, func(m *Mark) error {
		maps.DeleteFunc(m.Writers, func(writer string, until time.Time) bool {
			return writer == by || until.Add(time.Hour).Before(now) // who died
		})
		return nil
	})
}

// ShowFindings says who may see the findings of a connection: who may see all of these
// projects. Somebody who moves it shows it to those of both, moves it, and shows it to
// those of the new one.
func (o *Organization) ShowFindings(ctx context.Context, connection model.ConnectionID, projects []string) error {
	projects = slices.DeleteFunc(slices.Clone(projects), func(p string) bool { return p == "" })
	slices.Sort(projects)
	projects = slices.Compact(projects)
	return o.mark(ctx, connection, func(m *Mark) error {
		if slices.Equal(m.Projects, projects) && m.Version > 0 {
			return table.ErrSkip
		}
		m.Projects = projects
		return nil
	})
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
			m.Epoch = ulid.Make().String()
			c, err := o.connectionItself(ctx, connection)
			if isMissing(err) {
				return table.ErrSkip // it is purged
			}
			if err != nil {
				return err
			}
			if c.Project != "" {
				m.Projects = []string{c.Project}
			}
		}
		m.Version = item.Version
		if err := change(&m); err != nil {
			return err
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
	_, err := o.table.Add(ctx, table.Key{PK: o.key("MARKS"), SK: strconv.Itoa(ShardOf(connection))}, 1, time.Time{})
	return err
}

// MarkCounts are how often a mark of each shard changed.
func (o *Organization) MarkCounts(ctx context.Context) (counts [Shards]int64, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("MARKS")}) {
		if err != nil {
			return counts, fmt.Errorf("counts of marks: %w", err)
		}
		shard, err := strconv.Atoi(item.SK)
		if err != nil || shard < 0 || shard >= Shards {
			return counts, fmt.Errorf("counts of marks: %q is no shard", item.SK)
		}
		counts[shard] = item.Version
	}
	return counts, nil
}

// Marks yields the marks of a shard, in the order of their connections.
func (o *Organization) Marks(ctx context.Context, shard int) iter.Seq2[Mark, error] {
	return func(yield func(Mark, error) bool) {
		for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("MARK", strconv.Itoa(shard)), Limit: table.MaxLimit}) {
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
