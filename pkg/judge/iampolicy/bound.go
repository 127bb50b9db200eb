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
	remark   string // goes into the explanation
}

type subjectKind uint8

const (
	direct    subjectKind = iota // IAM principals and anonymous callers
	service                      // AWS service principals
	federated                    // holders of an identity provider's tokens
)

// mailer is the service principal of Amazon SES.
const mailer = "ses.amazonaws.com"

// bound is what one condition makes of the requesters.
type bound struct {
	reach    reach
	who      who
	services []string // patterns, for onlyServices
	provider string   // for token
	open     string   // why it bounds nobody, after the key's name; empty if it bounds
}

// bind reads a condition of an Allow statement. all are the statement's
// conditions, which may make sure that the key is present.
func (e *evaluator) bind(c *Condition, all []Condition) bound {
	op := c.Operator
	free := func(why string) bound { return bound{who: anyone, open: c.Key + " " + why} }
	if holds, known := e.assume.holds(c); known {
		if holds {
			return free("is met")
		}
		return bound{who: nobody, reach: everything}
	}
	key := strings.ToLower(c.Key)
	r, f := keyForm(key)
	switch {
	case op.Name == "Null" && falseOnly(c) && (f == formService || r == source && strings.HasPrefix(key, "aws:source") && key != "aws:sourceowner"):
		return bound{reach: onlyServices, who: anyone} // others do not carry the key
	case op.Name == "Null":
		return free("is only asked to be there, or not to be")
	case r == unbounding:
		return free(freeReason(key))
	case op.Negated():
		return free("lets in all but what it names")
	case (op.IfExists || op.Quantifier == "ForAllValues") && !keyRequired(c.Key, all) && !inEveryToken(c.Key):
		return free("also holds when the request lacks it")
	case r == onlyServices && f == formTrue && falseOnly(c):
		return bound{reach: noServices, who: anyone, open: c.Key + " keeps out AWS services, not others"}
	case f == formService:
		return e.bindServices(c, free)
	case r == token:
		return bindToken(c, free)
	}
	var w who
	var why string
	if f == formOwner {
		r, w, why = e.ownerValues(c)
	} else {
		w, why = e.readValues(c, f)
	}
	switch {
	case r == mail && why == "" && !slices.ContainsFunc(c.Values, func(v string) bool { return !isAccount(e.ownAccount(v)) }):
		return bound{reach: mail, who: w, open: c.Key + " " + freeReason(key)}
	case r == mail:
		return free(freeReason(key))
	case why != "":
		return free(why)
	}
	return bound{reach: r, who: w}
}

func (e *evaluator) bindServices(c *Condition, free func(string) bound) bound {
	if !c.Operator.textual() || len(c.Values) == 0 {
		return free(c.Operator.Name + " does not compare it")
	}
	return bound{reach: onlyServices, who: anyone, services: c.Values}
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

func falseOnly(c *Condition) bool { return onlyValue(c, "false") }

func onlyValue(c *Condition, want string) bool {
	return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return !strings.EqualFold(v, want) })
}

// limit gives the requesters of the subject that the bound leaves.
func (b *bound) limit(s *subject) who {
	switch b.reach {
	case everything, target:
		return b.who
	case caller:
		if s.kind == service {
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
	case mail:
		if s.kind == service && s.name == mailer {
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

// assumption is what a question takes for granted of the request: the values of some
// keys, in lower case.
type assumption map[string]assumed

// assumed is the value of a key. absent is a request without it; any is one whose
// sender chooses it, and does not know what he should not.
type assumed struct {
	value       string
	absent, any bool
}

// holds tells whether a condition holds under the assumption, if that settles it.
func (a assumption) holds(c *Condition) (holds, known bool) {
	v, known := a[strings.ToLower(c.Key)]
	op := c.Operator
	switch {
	case !known:
		return false, false
	case op.Name == "Null":
		return slices.ContainsFunc(c.Values, func(want string) bool { return strings.EqualFold(want, "true") == v.absent }), true
	case v.absent && op.Quantifier == "ForAnyValue":
		return op.IfExists, true
	case v.absent:
		return op.IfExists || op.Negated() || op.Quantifier == "ForAllValues", true
	}
	match := slices.ContainsFunc(c.Values, func(want string) bool {
		if v.any {
			return variable(want) || wild(want) && !op.literal()
		}
		return strings.EqualFold(want, v.value)
	})
	return match != op.Negated(), true
}
