package iampolicy

import (
	"slices"
	"strconv"
	"strings"
)

type evaluator struct {
	policy   *Policy
	zone     *Zone
	actions  []string // the question is about; empty for all
	endpoint bool     // the policy is a VPC endpoint's
	assume   assumption

	asked map[Thing]Standing
	work  int // parties, patterns and pairs that were looked at
}

func newEvaluator(p *Policy, z *Zone) *evaluator {
	return &evaluator{policy: p, zone: z, asked: map[Thing]Standing{}}
}

// Evaluate answers of a resource policy whom outside the owner's account it
// lets in and how far. It looks at the policy alone: access also needs that
// neither an organization's policies nor, within an account, a permissions
// boundary are in the way. Actions, if any, limit the question to statements that
// allow something which one of these patterns matches.
//
// A condition more never raises the level, nor does a Deny more; an Allow more
// never lowers it.
func (p Policy) Evaluate(z Zone, actions ...string) Result {
	e := newEvaluator(&p, &z)
	e.actions = actions
	return e.evaluate()
}

// EvaluateEndpoint is Evaluate for the policy of a VPC endpoint, which says who may
// reach what through it: that what is reached belongs to a fixed account or
// organization is a bound, too.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func (p Policy) EvaluateEndpoint(z Zone, actions ...string) Result {
	e := newEvaluator(&p, &z)
	e.actions, e.endpoint = actions, true
	return e.evaluate()
}

func (e *evaluator) evaluate() Result {
	var r Result
	denials := e.denials()
	for i := range e.policy.Statements {
		if s := &e.policy.Statements[i]; s.Effect == Allow {
			r.Grants = append(r.Grants, e.allow(s, denials)...)
		}
	}
	return r
}

// allow gives what an Allow statement grants to anybody outside, by level.
func (e *evaluator) allow(s *Statement, denials []denial) []Grant {
	actions := e.askedActions(s)
	if len(actions) == 0 {
		return nil
	}
	bounds := e.bounds(s)
	denials, combinations := e.relevant(s, denials)
	lower := folded(actions)
	var grants []Grant
	named := map[Party]bool{}
	for _, sub := range together(e.subjects(s)) {
		w := e.left(&sub, bounds, denials, combinations)
		e.grant(&grants, named, &sub, w, lower, bounds)
	}
	for i := range grants {
		g := &grants[i]
		g.Statement, g.Index, g.Actions, g.Resources = s.Name(), s.index, actions, resourceNames(s)
		if g.Level >= ServiceUnscoped && g.Why == "" && len(denials) > 0 {
			g.Why = "Deny " + denials[0].Name() + " may leave some of it"
		}
	}
	return grants
}

func (e *evaluator) bounds(s *Statement) []bound {
	bounds := make([]bound, len(s.Conditions))
	for i := range s.Conditions {
		bounds[i] = e.bind(&s.Conditions[i], s.Conditions)
	}
	return bounds
}

// relevant are the Denies that speak of something which the Allow is asked about, and
// which of them cover its parts.
func (e *evaluator) relevant(s *Statement, denials []denial) ([]denial, [][]int) {
	asked := e.actions
	if len(asked) == 0 {
		asked = s.Actions
	}
	var touching []denial
	for _, d := range denials {
		if len(s.NotActions) > 0 || slices.ContainsFunc(asked, d.touchesAction) {
			touching = append(touching, d)
		}
	}
	if len(touching) == 0 {
		return nil, [][]int{nil}
	}
	return touching, e.combinations(s, touching)
}

// left gives the requesters of a subject whom conditions and Denies leave: those who get
// at some part of what is allowed.
func (e *evaluator) left(sub *subject, bounds []bound, denials []denial, combinations [][]int) who {
	w := sub.who
	for i := range bounds {
		w = e.meet(w, bounds[i].limit(sub))
	}
	if len(denials) == 0 || w.empty() {
		return w
	}
	out := set{seen: map[party]int{}}
	for _, one := range combinations {
		part := w
		for _, i := range one {
			// What would take too long to find out is left: the wider answer.
			if e.work > maxWork {
				break
			}
			e.work++
			part = e.deny(&denials[i], sub, part)
		}
		if part.all {
			return anyone
		}
		for _, p := range part.parties {
			out.add(p)
		}
	}
	return out.who
}

// maxWork is far more than a policy that AWS accepts needs, unless it was written to
// take time.
const maxWork = 20_000_000

// together makes one subject of all the principals that are named, as they differ in
// nothing but who they are.
func together(subjects []subject) []subject {
	var out []subject
	at := -1
	for _, s := range subjects {
		switch {
		case s.kind != direct || s.any || s.who.all:
			out = append(out, s)
		case at < 0:
			at = len(out)
			s.who.parties = slices.Clone(s.who.parties)
			out = append(out, s)
		default:
			out[at].who.parties = append(out[at].who.parties, s.who.parties...)
		}
	}
	return out
}

// grant sorts the requesters into grants by their levels. named are those that have been
// sorted before.
func (e *evaluator) grant(grants *[]Grant, named map[Party]bool, sub *subject, w who, actions []string, bounds []bound) {
	top := Public
	if sub.kind == service {
		top = ServiceUnscoped
	}
	at := func(l Level) *Grant {
		i := slices.IndexFunc(*grants, func(g Grant) bool { return g.Level == l })
		if i < 0 {
			i = len(*grants)
			*grants = append(*grants, Grant{Level: l, Why: explain(sub, bounds)})
		}
		return &(*grants)[i]
	}
	switch {
	case w.all && sub.kind == service && sub.any && slices.ContainsFunc(*grants, func(g Grant) bool { return g.Level == Public }):
		return // said with the direct callers
	case w.all && sub.kind == service && !sub.any && cannotBeScoped(sub.name, actions):
		return
	case w.all:
		g := at(top)
		if sub.kind == service {
			g.addServices(sub, bounds)
		}
		return
	}
	for i := range w.parties {
		p := &w.parties[i]
		l, standing := e.level(p, actions)
		if l == None {
			continue
		}
		g := at(min(l, top))
		if sub.kind == service {
			g.addServices(sub, bounds)
		}
		if one := (Party{p.name, standing}); !named[one] {
			named[one] = true
			g.Parties = append(g.Parties, one)
		}
	}
}

func (g *Grant) addServices(s *subject, bounds []bound) {
	if !s.any {
		push(&g.Services, s.name)
		return
	}
	named := false
	for i := range bounds {
		for _, n := range bounds[i].services {
			push(&g.Services, n)
			named = true
		}
	}
	if !named {
		push(&g.Services, "*")
	}
}

// maxExplained is how many conditions an explanation speaks of.
const maxExplained = 2

// explain says which conditions did not bound, and why.
func explain(s *subject, bounds []bound) string {
	var open []string
	for i := range bounds {
		if bounds[i].open != "" {
			open = append(open, bounds[i].open)
		}
	}
	text := strings.Join(open[:min(len(open), maxExplained)], ", and ")
	switch {
	case len(open) == 0:
		return s.remark
	case len(open) > maxExplained:
		return "its conditions do not bound it: " + text + ", and " + strconv.Itoa(len(open)-maxExplained) + " more"
	}
	return "its condition " + text
}

// push adds what is not in the list already.
func push(list *[]string, s string) {
	if !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

// askedActions gives the actions of the statement that the question is about.
func (e *evaluator) askedActions(s *Statement) []string {
	if len(e.actions) > 0 && !slices.ContainsFunc(e.actions, s.touchesAction) {
		return nil
	}
	if len(s.NotActions) > 0 {
		return negated(s.NotActions)
	}
	if len(e.actions) == 0 {
		return s.Actions
	}
	var out []string
	for _, a := range s.Actions {
		if slices.ContainsFunc(e.actions, func(q string) bool { return overlap(foldAction(a), foldAction(q)) }) {
			out = append(out, a)
		}
	}
	return out
}

func resourceNames(s *Statement) []string {
	if len(s.NotResources) > 0 {
		return negated(s.NotResources)
	}
	return s.Resources
}

func negated(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = "not " + v
	}
	return out
}
