package iampolicy

import (
	"slices"
	"strings"
)

// partyKind orders parties from what is known best to what is known least.
type partyKind uint8

const (
	account      partyKind = iota // an account, or a principal of a known account
	unowned                       // one named thing, whose account the zone may know
	organization                  // an organization or a path in it
	limited                       // anyone, within a bound that is not an identity
	partyKinds
)

// party is someone a policy lets in.
type party struct {
	kind  partyKind
	id    string // account number or organization id
	name  string // as evidence shows it
	thing Thing  // of an unowned one

	principal string   // as the statement names it, if it does
	whole     bool     // all of the account
	elsewhere bool     // an account of another partition
	member    Standing // in the owner's organization, whatever else it is: Own if surely
}

// key tells parties apart that stand differently to the owner.
func (p *party) key() party {
	return party{kind: p.kind, id: p.id, name: p.name, thing: p.thing, elsewhere: p.elsewhere}
}

// who is a set of requesters: all of them, or those in the list.
type who struct {
	all     bool
	parties []party
}

var (
	anyone = who{all: true}
	nobody = who{}
)

func only(p party) who { return who{parties: []party{p}} }

func (w who) empty() bool { return !w.all && len(w.parties) == 0 }

func (w *who) add(p party) { w.parties = append(w.parties, p) }

// join gives the requesters in either set.
func (w who) join(v who) who {
	switch {
	case w.all || v.all:
		return anyone
	case len(w.parties) == 0:
		return v
	case len(v.parties) == 0:
		return w
	}
	return who{parties: append(w.parties[:len(w.parties):len(w.parties)], v.parties...)}
}

// meet gives the requesters in both sets. It errs on the wide side where the
// overlap cannot be known, and never widens either: of a pair it keeps the one that
// is known better. What it does is linear in the parties of both, though it speaks
// of all pairs.
func (e *evaluator) meet(w, v who) who {
	switch {
	case w.all:
		return v
	case v.all:
		return w
	}
	e.work += len(w.parties) + len(v.parties)
	a, b := e.survey(w), e.survey(v)
	if a.has[unowned] && b.has[unowned] {
		b.better = e.owned(v) && !e.owned(w)
	}
	out := set{seen: map[party]int{}}
	for _, x := range w.parties {
		e.keep(&out, x, &a, &b, true)
	}
	for _, y := range v.parties {
		e.keep(&out, y, &b, &a, false)
	}
	return out.who
}

// keep adds a party as far as it meets those of the other side. What both sides name
// by itself is kept from the first, unless that names the whole of an account.
func (e *evaluator) keep(out *set, x party, own, other *survey, first bool) {
	for kind := x.kind + 1; kind < partyKinds; kind++ {
		if other.has[kind] {
			as := x
			as.member = stronger(x.member, other.member[kind])
			out.add(as)
		}
	}
	switch {
	case !other.has[x.kind]:
	case x.kind == account:
		y, both := other.accounts[x.id]
		better := y.whole && !own.accounts[x.id].whole // than the other side tells it
		worse := !y.whole && own.accounts[x.id].whole
		if !both || worse || !better && !first {
			return
		}
		x.member = stronger(x.member, y.member)
		x.elsewhere = x.elsewhere && y.elsewhere
		out.add(x)
	case x.kind == organization:
		if same, sure := other.organization(e, x); same && first {
			if sure {
				x.member = Own
			}
			out.add(x)
		}
	case x.kind == unowned && (own.better || other.better):
		if own.better {
			out.add(x)
		}
	case first:
		out.add(x)
	}
}

// owned tells that all the things named are the owner's.
func (e *evaluator) owned(w who) bool {
	return !slices.ContainsFunc(w.parties, func(p party) bool { return p.kind == unowned && e.whose(p.thing) != Own })
}

// survey is what has to be known of a set to meet it with another.
type survey struct {
	has      [partyKinds]bool
	better   bool             // its things are the owner's, and the other side's are not
	accounts map[string]party // by number; whole if one of them is
	orgs     map[string]bool
	member   [partyKinds]Standing // of whoever is one of the kind: in the owner's organization?
}

func (e *evaluator) survey(w who) survey {
	s := survey{accounts: map[string]party{}, orgs: map[string]bool{}}
	for kind := range s.member {
		s.member[kind] = Own
	}
	for _, p := range w.parties {
		s.has[p.kind] = true
		member := p.member
		switch p.kind {
		case account:
			if before, ok := s.accounts[p.id]; ok {
				p.whole = p.whole || before.whole
				p.member = weaker(p.member, before.member)
				p.elsewhere = p.elsewhere && before.elsewhere
			}
			s.accounts[p.id] = p
		case organization:
			s.orgs[p.id] = true
			member = e.ownership(&p)
		case unowned, limited, partyKinds:
		}
		s.member[p.kind] = weaker(s.member[p.kind], member)
	}
	return s
}

// organization tells that the set holds an organization, or may, and that whoever is
// in both is in the owner's.
func (s *survey) organization(e *evaluator, p party) (same, member bool) {
	if s.orgs[p.id] {
		return true, false
	}
	if p.id == ownOrganization {
		for id := range s.orgs {
			if e.whose(Thing{AnOrganization, id}) != Foreign {
				return true, true
			}
		}
		return false, false
	}
	return s.orgs[ownOrganization] && e.whose(Thing{AnOrganization, p.id}) != Foreign, true
}

// set is a who in the making, without repetitions.
type set struct {
	who
	seen map[party]int
}

func (s *set) add(p party) {
	at, known := s.seen[p.key()]
	if !known {
		s.seen[p.key()] = len(s.parties)
		s.who.add(p)
		return
	}
	s.parties[at].member = weaker(s.parties[at].member, p.member)
}

// stronger is the standing of whom both of two are.
func stronger(a, b Standing) Standing {
	switch {
	case a == Own || b == Own:
		return Own
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Foreign
}

// weaker is the standing of whom one of two may be.
func weaker(a, b Standing) Standing {
	switch {
	case a == Foreign || b == Foreign:
		return Foreign
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Own
}

// ownership tells whether an organization is the owner's.
func (e *evaluator) ownership(p *party) Standing {
	if p.member == Own || p.id == ownOrganization {
		return Own
	}
	return e.whose(Thing{AnOrganization, p.id})
}

func (e *evaluator) accountParty(id, partition, name string) party {
	other := partition != "" && !wild(partition) && e.zone.Partition != "" && partition != e.zone.Partition
	return party{kind: account, id: id, name: name, whole: name == id || strings.HasSuffix(name, ":root"), elsewhere: other}
}

func thing(kind ThingKind, id, name string) party {
	return party{kind: unowned, name: name, thing: Thing{kind, id}}
}

// whose asks the zone, once for each thing.
func (e *evaluator) whose(t Thing) Standing {
	s, asked := e.asked[t]
	if !asked {
		switch {
		case t.Kind == chosen:
			s = Own
		case e.zone.Whose == nil || t.Kind == something:
			s = Unknown
		default:
			s = e.zone.Whose(t)
		}
		e.asked[t] = s
	}
	return s
}

// level is how far the party is from the owner, and whether that is sure. actions
// are what the statement allows, in lower case.
func (e *evaluator) level(p *party, actions []string) (Level, Standing) {
	switch p.kind {
	case account:
		switch {
		case p.id == e.zone.Account && p.id != "" && !p.elsewhere:
			return None, Own
		case awsAccount(p.id, actions):
			return None, Own
		}
		return named(e.whose(Thing{AnAccount, p.id}), p.member)
	case unowned:
		return named(e.whose(p.thing), p.member)
	case organization:
		if s := e.ownership(p); s != Own {
			return Organization, s
		}
		return OwnOrganization, Own
	case limited, partyKinds:
	}
	return Restricted, Foreign
}

// named is the level of what is named by itself: whose it is, and whether it is in the
// owner's organization.
func named(s, member Standing) (Level, Standing) {
	switch {
	case s == Own:
		return None, Own
	case member == Own:
		return OwnOrganization, Own
	case member == Unknown:
		return CrossAccount, Unknown
	}
	return CrossAccount, s
}
