package index

import (
	"iter"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Connection is what a view knows of a connection, beside its findings and how it stands.
type Connection struct {
	ID      model.ConnectionID
	Name    string // empty if it has none
	Account string // empty as long as it is not known
	// Projects are those that it belongs to; two while it moves from one to another.
	Projects []string
	// Audited says that it was audited as a whole.
	Audited  bool
	Findings int
}

// Connections yields the connections that a caller sees, by their ids in each shard.
func (v *View) Connections(who Caller) iter.Seq[Connection] {
	return func(yield func(Connection) bool) {
		for _, s := range v.segments {
			if s.seenBy(who) && !yield(s.connection()) {
				return
			}
		}
	}
}

// Connection is what a view knows of one that a caller sees; false if there is none.
func (v *View) Connection(who Caller, id model.ConnectionID) (Connection, bool) {
	s, ok := v.of[id]
	if !ok || !s.seenBy(who) {
		return Connection{}, false
	}
	return s.connection(), true
}

func (s *segment) connection() Connection {
	return Connection{s.Connection, s.Name, s.Account, s.projects(), s.standing.whole, s.rows()}
}

// Values are those that the findings which a caller sees have in a field of few values:
// checks, services, types, regions. Others have none here.
func (v *View) Values(who Caller, field string) []string {
	f, ok := newMoment(v.dict, Checks{}).field(field)
	if !ok || !slices.Contains([]string{"cause", "check", "region", "resource_type", "service"}, field) {
		return nil
	}
	seen := make([]bool, f.things)
	for _, s := range v.segments {
		if s.seenBy(who) {
			for at := range s.rows() {
				seen[f.number(s, at)] = true
			}
		}
	}
	var all []string
	for n, is := range seen {
		if is {
			all = append(all, f.values(uint32(n))...) //nolint:gosec // an index
		}
	}
	return slices.DeleteFunc(all, func(w string) bool { return w == "" })
}
