package index

import (
	"slices"
	"time"
)

// member is what a shard knows of a connection beside its findings: what its mark said, and
// what it was called when that was read.
type member struct {
	Called  string   // store.Mark.Called
	Shown   []string // store.Mark.Projects
	Since   time.Time
	Writing time.Time
	Moving  time.Time
	Read    time.Time // when its connection was
	Gone    bool      // there was no such connection any more
	Name    string    // empty if it has none
	Account string    // empty as long as it is not known
}

// fresh reports whether what was read of a connection at a moment need not be read again now,
// where who changes it may do so until another: if nobody did after it was read, or not for
// Lag.
func (m *member) fresh(read, until, now time.Time) bool {
	if until.IsZero() || !until.Add(skew).After(read) {
		return true
	}
	from := latest(read, m.Since)
	return now.Before(from.Add(Lag)) && now.After(from.Add(-Lag))
}

// known reports whether what the connection is called need not be read again.
func (m *member) known(now time.Time) bool {
	return m.Gone || m.fresh(m.Read, latest(m.Writing, m.Moving), now)
}

// current reports whether a segment of the connection need not be read again.
func (m *member) current(h Head, now time.Time) bool {
	return m.fresh(h.Read, latest(m.Writing, h.Writing), now)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// seenBy reports whether a caller may see a connection: all projects that it belongs to,
// which are two while it moves from one to another.
func (m *member) seenBy(c Caller) bool {
	if len(m.Shown) == 0 {
		return c.Sees("")
	}
	return !slices.ContainsFunc(m.Shown, func(p string) bool { return !c.Sees(p) })
}

// projects are those that a connection belongs to, if any.
func (m *member) projects() []string {
	if !slices.Contains(m.Shown, "") {
		return m.Shown
	}
	return slices.DeleteFunc(slices.Clone(m.Shown), func(p string) bool { return p == "" })
}

func (e *encoder) member(m member) {
	e.string(m.Called)
	e.number(uint64(len(m.Shown)))
	for _, p := range m.Shown {
		e.string(p)
	}
	for _, t := range []time.Time{m.Since, m.Writing, m.Moving, m.Read} {
		e.time(t)
	}
	e.truth(m.Gone)
	e.string(m.Name)
	e.string(m.Account)
}

func (d *decoder) member() (m member) {
	m.Called = d.string()
	for range d.count(1) {
		m.Shown = append(m.Shown, d.string())
	}
	for _, t := range []*time.Time{&m.Since, &m.Writing, &m.Moving, &m.Read} {
		*t = d.time()
	}
	m.Gone, m.Name, m.Account = d.truth(), d.string(), d.string()
	return m
}
