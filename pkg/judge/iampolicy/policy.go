// Package iampolicy parses IAM policy documents and answers questions of them:
// who outside the owner's account a resource policy lets in and how far
// ([Policy.Evaluate]), what an identity policy allows ([Policy.Allows]), what an
// identity can make of all its policies ([Holder]), and whom a role trusts ([Policy.Trusts]).
//
// Where a policy alone cannot settle a question the answer is the wider one,
// and its reasons say why.
package iampolicy

import (
	"slices"
	"strconv"
	"strings"
)

// Effect is what a statement does when it matches.
type Effect string

// The two effects of the policy language.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Policy is a parsed policy document. Only [Parse] and [ParseURLEncoded] make
// one that the language allows.
type Policy struct {
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one statement. An element that the document leaves out is zero.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    Principals
	NotPrincipal Principals
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Conditions   []Condition

	index int // position in the document, from 0
}

// Principals is the value of a Principal or NotPrincipal element.
type Principals struct {
	Any           bool // the bare "*"
	AWS           []string
	Service       []string
	Federated     []string
	CanonicalUser []string
}

// IsZero tells that the statement has no such element.
func (p Principals) IsZero() bool {
	return !p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0
}

// Everyone tells that the element names all principals: "*" and {"AWS": "*"}
// mean the same in a resource policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
func (p Principals) Everyone() bool {
	return p.Any || slices.Contains(p.AWS, "*")
}

// Name is the Sid, or the statement's position counted from 1 where it has none.
func (s *Statement) Name() string {
	if s.Sid != "" {
		return s.Sid
	}
	return "statement " + strconv.Itoa(s.index+1)
}

// Names gives the principals as the document writes them.
func (p Principals) Names() []string {
	var out []string
	if p.Any {
		out = append(out, "*")
	}
	for _, list := range [][]string{p.AWS, p.Service, p.Federated, p.CanonicalUser} {
		out = append(out, list...)
	}
	return out
}

// coversAction tells that the statement surely speaks of all that the pattern matches.
func (s *Statement) coversAction(pattern string) bool {
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, func(n string) bool { return overlap(foldAction(n), foldAction(pattern)) })
	}
	return slices.ContainsFunc(s.Actions, func(a string) bool { return covers(foldAction(a), foldAction(pattern)) })
}

// touchesAction tells that the statement speaks of something that the pattern matches.
func (s *Statement) touchesAction(pattern string) bool {
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, func(n string) bool { return covers(foldAction(n), foldAction(pattern)) })
	}
	return slices.ContainsFunc(s.Actions, func(a string) bool { return overlap(foldAction(a), foldAction(pattern)) })
}

// coversResource is coversAction for resources. A statement without the element
// (role trust, ECR and EFS policies) speaks of what the policy hangs on.
func (s *Statement) coversResource(pattern string) bool {
	if len(s.NotResources) > 0 {
		return !slices.ContainsFunc(s.NotResources, func(n string) bool { return overlap(foldResource(widest(n)), pattern) })
	}
	return len(s.Resources) == 0 || slices.ContainsFunc(s.Resources, func(r string) bool {
		return !variable(r) && (covers(r, pattern) || samePartition(r, pattern) && covers(foldResource(r), pattern))
	})
}

// foldAction makes action names comparable: they are case-insensitive, and "*:*", "?*"
// and their like are other ways to write "*", as no name is shorter than two letters.
func foldAction(a string) string {
	service, name, ok := strings.Cut(strings.ToLower(a), ":")
	service, name = foldAny(service), foldAny(name)
	if !ok || service == "*" && name == "*" {
		return service
	}
	return service + ":" + name
}

// foldAny is "*" for a pattern that all names match.
func foldAny(s string) string {
	if strings.Trim(s, "*?") == "" && strings.Contains(s, "*") && strings.Count(s, "?") <= 2 {
		return "*"
	}
	return s
}

// samePartition tells that one pattern of ARNs may speak of the other's partition.
func samePartition(a, b string) bool {
	partition := func(arn string) string {
		if parts := strings.SplitN(arn, ":", 3); len(parts) == 3 && parts[0] == "arn" {
			return parts[1]
		}
		return "*"
	}
	return overlap(partition(a), partition(b))
}

// foldResource makes "*" of the patterns that all ARNs of a partition match: "arn:aws:*",
// "arn:*:*:*". An ARN has four parts behind its partition, or more.
func foldResource(r string) string {
	rest, ok := strings.CutPrefix(r, "arn:")
	if !ok {
		return foldAny(r)
	}
	if _, behind, ok := strings.Cut(rest, ":"); ok {
		rest = behind
	}
	parts := strings.Split(rest, ":")
	if len(parts) <= 4 && !slices.ContainsFunc(parts, func(p string) bool { return p != "*" }) {
		return "*"
	}
	return r
}
