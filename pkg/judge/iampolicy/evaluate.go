package iampolicy

import (
	"slices"
	"strings"
)

type evaluator struct {
	policy *Policy
	opts   *Options
	denies []*Statement
	noted  []int // Deny statements already in the notes
	result Result
}

// Evaluate answers of a resource policy whom outside the owner's account it
// lets in and how far. It looks at the policy alone: access also needs that
// neither an organization's policies nor, within an account, a permissions
// boundary are in the way.
//
// A condition more never raises the level, nor does a Deny more; an Allow more
// never lowers it. With RestrictPublicBuckets this does not hold, as AWS
// switches it on and off with the policy's being public.
func (p Policy) Evaluate(opts Options) Result {
	e := evaluator{policy: &p, opts: &opts}
	for i := range p.Statements {
		if p.Statements[i].Effect == Deny {
			e.denies = append(e.denies, &p.Statements[i])
		}
	}
	for i := range p.Statements {
		if p.Statements[i].Effect == Allow {
			e.allow(&p.Statements[i])
		}
	}
	e.publicBlock()
	for _, g := range e.result.Grants {
		e.result.Level = max(e.result.Level, g.Level)
	}
	return e.result
}

func (e *evaluator) allow(s *Statement) {
	actions := e.askedActions(s)
	if len(actions) == 0 {
		return
	}
	if s.Principal.IsZero() && s.NotPrincipal.IsZero() {
		e.result.Notes = append(e.result.Notes, s.Name()+" names no principal: it is not a resource policy's statement")
		return
	}
	bounds := make([]bound, len(s.Conditions))
	reasons := make([]string, len(s.Conditions))
	for i := range s.Conditions {
		bounds[i] = e.bind(&s.Conditions[i], s.Conditions)
		reasons[i] = bounds[i].reason
	}
	if len(reasons) == 0 {
		reasons = append(reasons, "no condition")
	}
	var grants []Grant
	public := false
	for _, sub := range e.subjects(s) {
		w := sub.who
		for i := range bounds {
			w = w.meet(bounds[i].limit(&sub))
		}
		var extra []string
		w, extra = e.applyDenies(s, &sub, w)
		if sub.remark != "" {
			extra = append(extra, sub.remark)
		}
		level := sub.level(w)
		if sub.any && sub.kind == service && (public || len(w.parties) == 0 && !w.all) {
			continue // said with the direct callers, or nothing to say
		}
		public = public || level == Public
		i := slices.IndexFunc(grants, func(g Grant) bool { return g.Level == level })
		if i < 0 {
			i = len(grants)
			grants = append(grants, Grant{
				Statement: s.Name(), Index: s.index, Level: level,
				Actions: actions, Resources: resourceNames(s), Reasons: slices.Clone(reasons),
			})
		}
		grants[i].take(&sub, w, extra, bounds)
	}
	for _, g := range grants {
		if g.Level == None {
			e.result.Contained = append(e.result.Contained, g)
		} else {
			e.result.Grants = append(e.result.Grants, g)
		}
	}
}

// level of what is left of the subject's requesters.
func (s *subject) level(w who) Level {
	top := Public
	if s.kind == service {
		top = ServiceUnscoped
	}
	if w.all {
		return top
	}
	l := None
	for _, p := range w.parties {
		l = max(l, p.level())
	}
	return min(l, top)
}

// take adds a subject to the grant.
func (g *Grant) take(s *subject, w who, extra []string, bounds []bound) {
	push(&g.Principals, s.name)
	for _, p := range w.parties {
		if g.Level == None || p.level() > None {
			push(&g.Parties, p.name)
		}
	}
	for _, r := range extra {
		push(&g.Reasons, r)
	}
	if len(w.parties) == 0 && !w.all {
		push(&g.Reasons, "nothing that "+s.name+" stands for meets all conditions")
	}
	if s.kind != service || len(w.parties) == 0 && !w.all {
		return
	}
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

func push(list *[]string, s string) {
	if !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

func (e *evaluator) applyDenies(s *Statement, sub *subject, w who) (who, []string) {
	var reasons []string
	for _, d := range e.denies {
		before := sub.level(w)
		if before == None {
			break
		}
		if !slices.ContainsFunc(s.Actions, d.touchesAction) && len(s.NotActions) == 0 {
			continue
		}
		left := anyone
		if e.coversGrant(d, s) {
			left = e.denied(d, sub)
		}
		if left.all {
			if !slices.Contains(e.noted, d.index) {
				e.noted = append(e.noted, d.index)
				e.result.Notes = append(e.result.Notes, "Deny "+d.Name()+" is not counted: it may leave some of what "+s.Name()+" allows")
			}
			continue
		}
		w = w.meet(left)
		names := make([]string, len(left.parties))
		for i, p := range left.parties {
			names[i] = p.name
		}
		if len(names) == 0 {
			names = []string{"nobody"}
		}
		reasons = append(reasons, "Deny "+d.Name()+" leaves only "+strings.Join(names, ", "))
	}
	return w, reasons
}

// publicBlock applies S3's block public access.
func (e *evaluator) publicBlock() {
	r := &e.result
	public := slices.ContainsFunc(r.Grants, func(g Grant) bool { return g.Level == Public })
	if !public {
		return
	}
	if e.opts.BlockPublicPolicy && !e.opts.RestrictPublicBuckets {
		r.Notes = append(r.Notes, "BlockPublicPolicy refuses new public policies; the one in force stays")
	}
	if !e.opts.RestrictPublicBuckets {
		return
	}
	kept := r.Grants[:0:0]
	for _, g := range r.Grants {
		if len(g.Services) > 0 && g.Level != Public {
			kept = append(kept, g)
			continue
		}
		g.Reasons = append(g.Reasons, "RestrictPublicBuckets leaves only the owner's account and AWS services while the policy is public")
		g.Level = None
		r.Contained = append(r.Contained, g)
	}
	r.Grants = kept
}

// askedActions gives the actions of the statement that the question is about.
func (e *evaluator) askedActions(s *Statement) []string {
	if len(e.opts.Actions) > 0 && !slices.ContainsFunc(e.opts.Actions, s.touchesAction) {
		return nil
	}
	if len(s.NotActions) > 0 {
		return negated(s.NotActions)
	}
	if len(e.opts.Actions) == 0 {
		return s.Actions
	}
	var out []string
	for _, a := range s.Actions {
		if slices.ContainsFunc(e.opts.Actions, func(q string) bool { return overlap(foldAction(a), foldAction(q)) }) {
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
