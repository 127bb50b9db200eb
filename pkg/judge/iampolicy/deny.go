package iampolicy

import (
	"slices"
	"strings"
)

// denial is a Deny statement, read once for all that it may be asked of.
type denial struct {
	*Statement
	escapes []bound // who may get past, a bound for each condition
	// accounts and organizations whose principals a condition surely catches: whoever is
	// not of them may get past.
	caught   map[string]bool
	free     bool // a condition lets anybody past
	excepted who  // NotPrincipal's accounts and users
	accounts map[string]bool
	named    map[string]bool // principals by ARN, services, providers
}

func (e *evaluator) denials() []denial {
	var all []denial
	for i := range e.policy.Statements {
		if s := &e.policy.Statements[i]; s.Effect == Deny {
			all = append(all, e.denial(s))
		}
	}
	return all
}

func (e *evaluator) denial(s *Statement) denial {
	d := denial{Statement: s, accounts: map[string]bool{}, named: map[string]bool{}}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if caught := catches(c); caught != nil {
			d.catch(caught)
			continue
		}
		b := e.except(c)
		if b.reach == unbounding && b.who.all {
			d.free = true
		}
		d.escapes = append(d.escapes, b)
	}
	for _, name := range s.NotPrincipal.AWS {
		for _, sub := range e.awsSubjects(name) {
			d.excepted = d.excepted.join(sub.who)
		}
	}
	for _, name := range s.NotPrincipal.CanonicalUser {
		d.excepted.add(canonicalUser(name))
	}
	for _, list := range [][]string{s.Principal.AWS, s.Principal.Service, s.Principal.Federated, s.Principal.CanonicalUser, s.NotPrincipal.Service, s.NotPrincipal.Federated} {
		for _, name := range list {
			d.named[name] = true
		}
	}
	for _, name := range s.Principal.AWS {
		if isAccount(name) {
			d.accounts[name] = true
		} else if a, ok := parseARN(name); ok && isAccount(a.account) && a.resource == "root" {
			d.accounts[a.account] = true
		}
	}
	return d
}

// catch notes that only principals outside these accounts or organizations get past.
func (d *denial) catch(caught []string) {
	first := d.caught == nil
	next := map[string]bool{}
	for _, id := range caught {
		if first || d.caught[id] {
			next[id] = true
		}
	}
	d.caught = next
}

// catches gives the accounts or organizations whose every principal meets the condition
// of a Deny: the key is in each of their requests.
func catches(c *Condition) []string {
	op := c.Operator
	exact := op.Name == "StringEquals" || op.Name == "StringEqualsIgnoreCase" || op.Name == "StringLike"
	if !exact || op.Quantifier != "" || !c.Is("aws:PrincipalAccount") && !c.Is("aws:PrincipalOrgID") ||
		slices.ContainsFunc(c.Values, func(v string) bool { return wild(v) || variable(v) }) {
		return nil
	}
	return c.Values
}

// except gives the bound that a Deny's condition puts on what it does not deny:
// Deny with StringNotEquals lets through what StringEquals matches. The negated
// operators also hold without the key, so that the bound asks for its presence.
func (e *evaluator) except(c *Condition) bound {
	op := c.Operator
	if holds, known := e.assume.holds(c); known {
		if holds {
			return bound{reach: everything, who: nobody}
		}
		return bound{who: anyone}
	}
	r, f := keyForm(strings.ToLower(c.Key))
	switch {
	case op.Negated() && op.Quantifier != "ForAnyValue":
		pos := Condition{Operator: Operator{Name: strings.Replace(op.Name, "Not", "", 1)}, Key: c.Key, Values: c.Values}
		b := e.bind(&pos, nil)
		if b.reach == network && f != formIP && !b.who.all {
			b.reach = caller // a service principal comes by no network of the customer's
		}
		return b
	case c.Is("aws:PrincipalIsAWSService") && op.Quantifier == "" && (op.Name == "Bool" || op.Name == "StringEquals" || op.Name == "StringEqualsIgnoreCase"):
		// Anonymous requests lack the key: without IfExists they pass this Deny.
		if falseOnly(c) && op.IfExists {
			return bound{reach: onlyServices, who: anyone}
		}
		if onlyValue(c, "true") {
			return bound{reach: noServices, who: anyone}
		}
	case op.Name != "Null":
	case f == formService && onlyValue(c, "true"):
		return bound{reach: onlyServices, who: anyone}
	case f == formService && onlyValue(c, "false"):
		return bound{reach: noServices, who: anyone}
	case r == source && f == formAccount && onlyValue(c, "false"):
		// Without a source the service acts for no customer: AWS's own pattern against
		// confused deputies asks for the key before it looks at it.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
		return bound{reach: noServices, who: anyone}
	case r == caller && onlyValue(c, "true"):
		return bound{reach: noServices, who: anyone}
	}
	return bound{who: anyone}
}

// covers tells that the Deny is surely about everybody of the subject, or about those
// parties of it that hit says.
func (d *denial) covers(s *subject) (all bool, hit func(*party) bool) {
	switch {
	case d.Principal.Everyone():
		return true, nil
	case !d.NotPrincipal.IsZero():
		if d.NotPrincipal.Everyone() || d.excepted.all {
			return false, nil
		}
		switch s.kind {
		case service:
			return !d.named[s.name] && (!s.any || len(d.NotPrincipal.Service) == 0), nil
		case federated:
			return !d.named[s.name], nil
		case direct:
			return len(d.NotPrincipal.Federated) == 0, nil
		}
	case s.kind != direct:
		return d.named[s.name] && !s.any, nil
	}
	return false, func(p *party) bool {
		return !p.elsewhere && (p.kind == account && d.accounts[p.id] || p.principal != "" && d.named[p.principal])
	}
}

// deny gives what a Deny leaves of requesters of a subject.
func (e *evaluator) deny(d *denial, s *subject, w who) who {
	all, hit := d.covers(s)
	if w.empty() || !all && hit == nil || d.free {
		return w
	}
	var left who
	if all && !d.NotPrincipal.IsZero() && s.kind == direct {
		left = d.excepted
	}
	for i := range d.escapes {
		if left = left.join(d.escapes[i].limit(s)); left.all {
			return w
		}
	}
	if d.caught != nil && s.kind != direct {
		return w // who lacks the key gets past
	}
	if all && d.caught == nil {
		return e.meet(w, left)
	}
	if w.all {
		return w // all but some is still anybody
	}
	var rest, held who
	e.work += len(w.parties)
	for i := range w.parties {
		p := &w.parties[i]
		if (all || hit(p)) && (d.caught == nil || d.catchesParty(p)) {
			held.add(*p)
		} else {
			rest.add(*p)
		}
	}
	return rest.join(e.meet(held, left))
}

func (d *denial) catchesParty(p *party) bool {
	return (p.kind == account || p.kind == organization) && d.caught[p.id]
}

// maxCells bounds into how many pieces an Allow is cut to see which Denies cover each.
// What is over it is not cut, so that fewer Denies count.
const maxCells = 24

// cell is a part of what an Allow speaks of: what all the patterns of in match and none
// of those of out.
type cell struct{ in, out []string }

func (c *cell) empty() bool {
	for i, p := range c.in {
		if slices.ContainsFunc(c.out, func(o string) bool { return covers(o, p) }) {
			return true
		}
		if slices.ContainsFunc(c.in[i+1:], func(q string) bool { return !overlap(p, q) }) {
			return true
		}
	}
	return false
}

// within tells that all of the cell matches the pattern; apart that none of it does.
func (c *cell) within(p string) bool {
	return slices.ContainsFunc(c.in, func(i string) bool { return covers(p, i) })
}

func (c *cell) apart(p string) bool {
	return slices.ContainsFunc(c.in, func(i string) bool { return !overlap(p, i) }) ||
		slices.ContainsFunc(c.out, func(o string) bool { return covers(o, p) })
}

// cut divides the cells where the pattern is about some of what is in one.
func cut(cells []cell, p string) []cell {
	var out []cell
	for i := range cells {
		c := &cells[i]
		if c.within(p) || c.apart(p) {
			out = append(out, *c)
			continue
		}
		// What a pattern of in matches anyhow needs not be said again.
		narrower := slices.DeleteFunc(slices.Clone(c.in), func(q string) bool { return covers(q, p) })
		for _, part := range []cell{{append(narrower, p), c.out}, {c.in, append(slices.Clone(c.out), p)}} {
			if !part.empty() {
				out = append(out, part)
			}
		}
	}
	return out
}

// element is what a Deny says of actions or of resources.
type element struct {
	listed, not []string
	none        bool // the statement has no such element, which means all
}

func (d *element) covers(c *cell) bool {
	switch {
	case d.none:
		return true
	case len(d.not) > 0:
		return !slices.ContainsFunc(d.not, func(n string) bool { return !c.apart(n) })
	}
	return slices.ContainsFunc(d.listed, c.within)
}

// combinations gives, for the parts of what an Allow is asked about, which of the Denies
// surely cover a part: each list is of one part or more, and no part has fewer. An empty
// list says that some part is denied by none.
func (e *evaluator) combinations(s *Statement, denials []denial) [][]int {
	actions, resources := make([]element, len(denials)), make([]element, len(denials))
	for i := range denials {
		d := denials[i].Statement
		actions[i] = element{listed: folded(d.Actions), not: folded(d.NotActions)}
		resources[i] = element{listed: e.sure(d.Resources), not: e.widest(d.NotResources), none: len(d.Resources)+len(d.NotResources) == 0}
	}
	a := e.signatures(e.actionCells(s), actions)
	r := e.signatures(e.resourceCells(s), resources)
	var all [][]int
	for _, x := range a {
		for _, y := range r {
			e.work++
			var both []int
			for i := range denials {
				if x[i] == '1' && y[i] == '1' {
					both = append(both, i)
				}
			}
			all = append(all, both)
		}
	}
	slices.SortFunc(all, func(x, y []int) int { return len(x) - len(y) })
	var kept [][]int
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k []int) bool { return contains(one, k) }) {
			kept = append(kept, one)
		}
		if len(one) == 0 {
			break
		}
	}
	return kept
}

// contains tells that a sorted list has all of another.
func contains(list, of []int) bool {
	for _, v := range of {
		if _, ok := slices.BinarySearch(list, v); !ok {
			return false
		}
	}
	return true
}

// signatures tells of each cell which elements cover it: '1' or '0' for each. Equal ones
// come once; where there are many, the rest is one that the fewest cover.
func (e *evaluator) signatures(cells []cell, elements []element) []string {
	for i := range elements {
		for _, p := range append(slices.Clone(elements[i].listed), elements[i].not...) {
			e.work += len(cells)
			if len(cells) >= maxCells || len(p) > 0 && p == "*" {
				continue
			}
			cells = cut(cells, p)
		}
	}
	seen := map[string]bool{}
	var out []string
	for i := range cells {
		var b strings.Builder
		for j := range elements {
			e.work += len(elements[j].listed) + len(elements[j].not)
			if elements[j].covers(&cells[i]) {
				b.WriteByte('1')
			} else {
				b.WriteByte('0')
			}
		}
		sig := b.String()
		switch {
		case seen[sig]:
		case len(out) < maxCells:
			seen[sig] = true
			out = append(out, sig)
		default:
			last := []byte(out[maxCells-1])
			for j := range last {
				last[j] = min(last[j], sig[j])
			}
			out[maxCells-1] = string(last)
		}
	}
	return out
}

func (e *evaluator) actionCells(s *Statement) []cell {
	var cells []cell
	asked := folded(e.actions)
	if len(s.NotActions) > 0 {
		if len(asked) == 0 {
			asked = []string{"*"}
		}
		for _, q := range asked {
			cells = append(cells, cell{in: []string{q}, out: folded(s.NotActions)})
		}
	}
	for _, p := range folded(s.Actions) {
		if len(asked) == 0 {
			cells = append(cells, cell{in: []string{p}})
		}
		for _, q := range asked {
			if overlap(p, q) {
				cells = append(cells, cell{in: []string{p, q}})
			}
		}
	}
	return slices.DeleteFunc(cells, func(c cell) bool { return c.empty() })
}

func (e *evaluator) resourceCells(s *Statement) []cell {
	switch {
	case len(s.Resources)+len(s.NotResources) == 0 && e.zone.Resource != "":
		return []cell{{in: []string{e.zone.Resource}}}
	case len(s.Resources) == 0:
		// What a NotResource with variables leaves out is not known: nothing, then.
		return []cell{{in: []string{"*"}, out: e.sure(s.NotResources)}}
	}
	cells := make([]cell, len(s.Resources))
	for i, r := range e.widest(s.Resources) {
		cells[i].in = []string{r}
	}
	return cells
}

func folded(list []string) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = foldAction(a)
	}
	return out
}

// sure leaves out the patterns with variables: what they match is not known.
func (e *evaluator) sure(list []string) []string {
	var out []string
	for _, v := range list {
		if !e.variable(v) {
			out = append(out, foldResource(v))
		}
	}
	return out
}

// widest gives patterns that match all that those given may.
func (e *evaluator) widest(list []string) []string {
	out := slices.Clone(list)
	for i, v := range out {
		if e.variable(v) {
			v = widest(v)
		}
		out[i] = foldResource(v)
	}
	return out
}
