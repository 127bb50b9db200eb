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
			if !s.Gone && v.sees(who, s.Connection) && !yield(v.connection(s)) {
				return
			}
		}
	}
}

// Connection is what a view knows of one that a caller sees; false if there is none.
func (v *View) Connection(who Caller, id model.ConnectionID) (Connection, bool) {
	s, ok := v.of[id]
	if !ok || s.Gone || !v.sees(who, id) {
		return Connection{}, false
	}
	return v.connection(s), true
}

func (v *View) connection(s *segment) Connection {
	return Connection{s.Connection, s.Name, s.Account, v.projects(s.Connection), s.standing.whole, s.rows()}
}

// Values are those that findings have in a field of few values, or had since the view was
// begun: checks, services, types, regions. Others have none here.
func (v *View) Values(field string) []string {
	of := map[string]*words{"check": v.dict.checks, "cause": v.dict.checks, "service": v.dict.services, "resource_type": v.dict.kinds, "region": v.dict.regions}[field]
	if of == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(of.list()), func(w string) bool { return w == "" })
}
