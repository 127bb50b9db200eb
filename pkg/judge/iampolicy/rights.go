package iampolicy

import (
	"slices"
	"strings"
	"time"
)

// Rights is what a policy says of the actions that lead to more rights, and whether
// it makes an administrator. It is worked out once for a policy, however many
// identities have it.
type Rights struct {
	allows, denies map[string][]*Statement // by action, as the paths write it

	everything []*Statement // allow all actions on all resources
	nearly     []*Statement // allow all actions on all resources but some
	identities []*Statement // allow all of IAM on all resources
	denied     bool         // denies everything, or all of IAM, always
}

// RightsOf reads a policy for [Holder].
func RightsOf(p Policy) *Rights {
	r := &Rights{allows: map[string][]*Statement{}, denies: map[string][]*Statement{}}
	for i := range p.Statements {
		s := &p.Statements[i]
		to := r.allows
		if s.Effect == Deny {
			to = r.denies
			if !s.everybody() {
				continue
			}
		}
		for _, action := range s.pathActions() {
			to[action] = append(to[action], s)
		}
		if !s.allResources() {
			continue
		}
		switch {
		case s.Effect == Deny:
			r.denied = r.denied || len(s.Conditions) == 0 && s.allActions("iam")
		case s.allActions(""):
			r.everything = append(r.everything, s)
		default:
			if len(s.NotActions) > 0 {
				r.nearly = append(r.nearly, s)
			}
			if s.allActions("iam") {
				r.identities = append(r.identities, s)
			}
		}
	}
	return r
}

// pathActions are the actions of the paths that a statement surely speaks of.
func (s *Statement) pathActions() []string {
	all := pathTable().actions
	var found []string
	take := func(actions []string, pattern string) {
		pattern = foldAction(pattern)
		for _, action := range actions {
			if covers(pattern, foldAction(action)) {
				found = append(found, action)
			}
		}
	}
	if len(s.NotActions) > 0 {
		for _, actions := range all {
			for _, action := range actions {
				if s.coversAction(action) {
					found = append(found, action)
				}
			}
		}
	}
	for _, pattern := range s.Actions {
		service, _, _ := strings.Cut(strings.ToLower(pattern), ":")
		if wild(service) {
			for _, actions := range all {
				take(actions, pattern)
			}
		} else {
			take(all[service], pattern)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Held is a policy of an identity, and what people call it.
type Held struct {
	Name string
	*Rights
}

// Holder is an identity with all its policies: its own, those written into it, and
// those of its groups. A policy that is judged by itself is held by nobody: it has no
// ARN.
type Holder struct {
	ARN       string // of the user or role; empty if it is not known
	Account   string
	Partition string
	Now       time.Time // of judging; conditions on times long past cannot hold
	Policies  []Held
	Boundary  *Rights // of the permissions boundary; nil for none
}

// Administrator names the policies by which the holder may do everything: one that
// allows all actions on all resources, or together one that allows all but some and
// one that allows all of IAM, by which it can give itself the rest, as AWS's
// PowerUserAccess and IAMFullAccess do. Nil if there are none, or a Deny or the
// permissions boundary leaves less.
func (h Holder) Administrator() []string {
	var whole, nearly, identities []string
	for _, p := range h.Policies {
		everything, most, iam := h.manages(p.Rights)
		switch {
		case p.denied:
			return nil
		case everything || most && iam:
			whole = append(whole, p.Name)
		case most:
			nearly = append(nearly, p.Name)
		case iam:
			identities = append(identities, p.Name)
		}
	}
	if len(whole) == 0 && len(nearly) > 0 && len(identities) > 0 {
		whole = append(nearly, identities...)
	}
	if b := h.Boundary; b != nil {
		if everything, most, iam := h.manages(b); b.denied || !everything && (!most || !iam) {
			return nil
		}
	}
	slices.Sort(whole)
	return slices.Compact(whole)
}

// manages reports whether a policy allows everything, all but some, and all of IAM,
// under conditions that can hold for the holder.
func (h Holder) manages(r *Rights) (everything, most, iam bool) {
	can := func(s *Statement) bool {
		return !slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !h.can(&c, "iam:*") })
	}
	return slices.ContainsFunc(r.everything, can), slices.ContainsFunc(r.nearly, can), slices.ContainsFunc(r.identities, can)
}

// step is what a path asks of one of its actions.
type step struct {
	action  string
	need    need
	passTo  []string // services, any of which a passed role must reach
	targets []string // resources that the action can work on; nil if that is not known
	work    *int     // comparisons that may still be made
}

// grants gives the indexes of the policies that let the holder take a step.
func (h Holder) grants(q *step) []int {
	may := func(s *Statement) bool { return h.may(s, q) }
	if h.Boundary != nil && !slices.ContainsFunc(h.Boundary.allows[q.action], may) {
		return nil
	}
	var found []int
	for i, p := range h.Policies {
		if slices.ContainsFunc(p.allows[q.action], func(s *Statement) bool { return h.may(s, q) && h.left(s, q) }) {
			found = append(found, i)
		}
	}
	return found
}

// may reports whether a statement lets the holder take a step, as far as it goes itself.
func (h Holder) may(s *Statement, q *step) bool {
	*q.work -= 1 + len(s.Resources) + len(s.NotResources)
	if !h.holds(s, q) {
		return false
	}
	if len(s.NotResources) > 0 {
		return q.targets == nil || slices.ContainsFunc(q.targets, func(target string) bool {
			return !slices.ContainsFunc(s.NotResources, func(r string) bool { return covers(r, target) })
		})
	}
	return slices.ContainsFunc(s.Resources, func(r string) bool { return h.reaches(r, q) })
}

// left reports whether the Denies of all policies leave something of what a statement
// allows.
func (h Holder) left(s *Statement, q *step) bool {
	resources := s.Resources
	if len(s.NotResources) > 0 {
		resources = []string{"*"}
	}
	return slices.ContainsFunc(resources, func(r string) bool {
		if len(s.NotResources) == 0 && !h.reaches(r, q) {
			return false
		}
		denied := func(d *Statement) bool {
			if *q.work -= 1 + len(d.Resources) + len(d.NotResources); *q.work < 0 {
				return false
			}
			return h.denies(d, q) && (d.coversResource(q.effective(r)) || h.leavesAllowed(d, q.need))
		}
		for _, p := range h.Policies {
			if slices.ContainsFunc(p.denies[q.action], denied) {
				return false
			}
		}
		return h.Boundary == nil || h.meets(r, q) && !slices.ContainsFunc(h.Boundary.denies[q.action], denied)
	})
}

// leavesAllowed reports whether a Deny of all but some resources leaves those alone
// that a path has no use for.
func (h Holder) leavesAllowed(d *Statement, n need) bool {
	return len(d.NotResources) > 0 && !slices.ContainsFunc(d.NotResources, func(r string) bool {
		switch n {
		case others:
			return r != h.ARN && !own(r)
		case anyOf:
			return leavesOpen(r)
		case anything:
		}
		return true
	})
}

// meets reports whether the boundary allows what a resource pattern has in common
// with it.
func (h Holder) meets(resource string, q *step) bool {
	return slices.ContainsFunc(h.Boundary.allows[q.action], func(s *Statement) bool {
		if !h.may(s, q) {
			return false
		}
		if len(s.NotResources) > 0 {
			return s.coversResource(resource) || wild(resource)
		}
		return slices.ContainsFunc(s.Resources, func(b string) bool { return overlap(b, resource) && h.reaches(b, q) })
	})
}
