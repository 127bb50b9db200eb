package iampolicy

import (
	"slices"
	"strings"
)

// subject is one principal of a statement, or for "*" one of the two kinds of
// requester it stands for.
type subject struct {
	kind     subjectKind
	any      bool   // from "*" or NotPrincipal
	name     string // as written
	provider string // issuer of a federated subject's tokens
	who      who
	remark   string // goes into the reasons
}

type subjectKind uint8

const (
	direct    subjectKind = iota // IAM principals and anonymous callers
	service                      // AWS service principals
	federated                    // holders of an identity provider's tokens
)

// bound is what one condition makes of the requesters.
type bound struct {
	reach    reach
	who      who
	services []string // patterns, for onlyServices
	provider string   // for token
	reason   string
}

// bind reads a condition of an Allow statement. all are the statement's
// conditions, which may make sure that the key is present.
func (e *evaluator) bind(c *Condition, all []Condition) bound {
	op := c.Operator
	free := func(why string) bound {
		return bound{who: anyone, reason: c.String() + " does not bound: " + why}
	}
	if op.Name == "Null" {
		return free("it only asks whether the key is present")
	}
	key := strings.ToLower(c.Key)
	r, f := keyForm(key)
	switch {
	case r == unbounding:
		return free(freeReason(key))
	case op.Negated():
		return free("it lets in all but these values")
	case (op.IfExists || op.Quantifier == "ForAllValues") && !keyRequired(c.Key, all) && !inEveryToken(c.Key):
		return free("it also holds when the request lacks the key")
	case r == onlyServices && f == formTrue && falseOnly(c):
		return bound{reach: noServices, who: anyone, reason: c.String() + " keeps out AWS services, not others"}
	case f == formService:
		return e.bindServices(c, free)
	case r == token:
		return bindToken(c, free)
	}
	w, why := e.readValues(c, f)
	if why != "" {
		return free(why)
	}
	return bound{reach: r, who: w, reason: c.String() + " bounds"}
}

func (e *evaluator) bindServices(c *Condition, free func(string) bound) bound {
	if !c.Operator.textual() || len(c.Values) == 0 {
		return free(c.Operator.Name + " does not compare this key")
	}
	return bound{reach: onlyServices, who: anyone, services: c.Values, reason: c.String() + " leaves only AWS services"}
}

// keyRequired tells that a Null condition makes the key's presence certain.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func keyRequired(key string, all []Condition) bool {
	for i := range all {
		if c := &all[i]; c.Operator.Name == "Null" && c.Operator.Quantifier == "" && c.Is(key) && falseOnly(c) {
			return true
		}
	}
	return false
}

func falseOnly(c *Condition) bool {
	return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return !strings.EqualFold(v, "false") })
}

// limit gives the requesters of the subject that the bound leaves.
func (b *bound) limit(s *subject) who {
	switch b.reach {
	case caller:
		if s.kind == service && s.any {
			return nobody // service principals do not carry the key
		}
		return b.who
	case source:
		if s.kind == federated {
			return anyone
		}
		return b.who
	case serviceSource:
		if s.kind == service {
			return b.who
		}
	case network:
		switch {
		case s.kind != service:
			return b.who
		case s.any:
			return nobody
		}
	case onlyServices:
		named := func(pattern string) bool { return covers(pattern, s.name) }
		if s.kind != service || !s.any && b.services != nil && !slices.ContainsFunc(b.services, named) {
			return nobody
		}
	case unbounding:
	case noServices:
		if s.kind == service {
			return nobody
		}
	case token:
		if s.kind == federated && strings.EqualFold(b.provider, s.provider) {
			return b.who
		}
	}
	return anyone
}

// except gives the bound that a Deny's condition puts on what it does not deny:
// Deny with StringNotEquals lets through what StringEquals matches. The negated
// operators also hold without the key, so that the bound asks for its presence.
func (e *evaluator) except(c *Condition) bound {
	op := c.Operator
	switch {
	case op.Negated() && op.Quantifier != "ForAnyValue":
		pos := Condition{Operator: Operator{Name: strings.Replace(op.Name, "Not", "", 1)}, Key: c.Key, Values: c.Values}
		return e.bind(&pos, nil)
	case op.Name == "Bool" && c.Is("aws:PrincipalIsAWSService") && op.Quantifier == "":
		// Anonymous requests lack the key: without IfExists they pass this Deny.
		if falseOnly(c) && op.IfExists {
			return bound{reach: onlyServices, who: anyone}
		}
		if len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true") {
			return bound{reach: noServices, who: anyone}
		}
	}
	return bound{who: anyone}
}

// denied gives what a Deny statement leaves of the subject's requesters: anyone
// if it surely denies nobody.
func (e *evaluator) denied(d *Statement, s *subject) who {
	var left who
	switch {
	case d.Principal.Any, d.Principal.Everyone() && s.kind != service:
	case !d.NotPrincipal.IsZero() && !d.NotPrincipal.Any && s.kind == direct:
		for i := range d.NotPrincipal.AWS {
			for _, n := range e.awsSubjects(d.NotPrincipal.AWS[i]) {
				left = left.join(n.who)
			}
		}
		if len(d.NotPrincipal.Federated)+len(d.NotPrincipal.CanonicalUser) > 0 {
			return anyone
		}
	default:
		return anyone
	}
	for i := range d.Conditions {
		b := e.except(&d.Conditions[i])
		if left = left.join(b.limit(s)); left.all {
			return anyone
		}
	}
	return left
}

// coversGrant tells that the Deny speaks of every action and resource of the
// Allow that the question is about.
func (e *evaluator) coversGrant(d, a *Statement) bool {
	asked := e.opts.Actions
	for _, p := range a.Actions {
		if d.coversAction(p) {
			continue
		}
		if len(asked) == 0 {
			return false
		}
		for _, q := range asked {
			if overlap(foldAction(p), foldAction(q)) && !d.coversAction(q) {
				return false
			}
		}
	}
	if len(a.NotActions) > 0 && !d.coversAction("*") &&
		(len(asked) == 0 || slices.ContainsFunc(asked, func(q string) bool { return !d.coversAction(q) })) {
		return false
	}
	if len(a.Resources) == 0 {
		return d.coversResource("*")
	}
	return !slices.ContainsFunc(a.Resources, func(r string) bool { return !d.coversResource(r) })
}
