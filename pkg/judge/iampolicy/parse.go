package iampolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrMalformed is wrapped by every error of [Parse] and [ParseURLEncoded].
var ErrMalformed = errors.New("malformed policy document")

// Parse reads a policy document by the grammar of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
// What the grammar does not allow is an error, so that a policy is never judged
// by the half of it that could be read: unknown elements, wrong types, a key
// given twice, empty lists of principals, actions or resources.
func Parse(doc string) (Policy, error) {
	v, err := decode(doc)
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p, err := readPolicy(v)
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return p, nil
}

// ParseURLEncoded is [Parse] for documents as IAM returns them (GetRole,
// GetPolicyVersion...), percent-encoded by RFC 3986. A document that is not
// encoded is read as it is.
func ParseURLEncoded(doc string) (Policy, error) {
	if len(doc) > 3*maxLength { // each character may take three
		return Policy{}, fmt.Errorf("%w: %w", ErrMalformed, errTooLong)
	}
	plain, err := plain(doc)
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Parse(plain)
}

// Plain is a document as IAM returns it, without the encoding. One that is not
// encoded, or by no rule, stays as it is.
func Plain(doc string) string {
	if plain, err := plain(doc); err == nil {
		return plain
	}
	return doc
}

func plain(doc string) (string, error) {
	if strings.HasPrefix(strings.TrimSpace(doc), "{") {
		return doc, nil
	}
	return url.PathUnescape(doc) // not QueryUnescape: a plus sign stands for itself
}

func readPolicy(v any) (Policy, error) {
	var p Policy
	obj, ok := v.(object)
	if !ok {
		return p, errors.New("the document is not an object")
	}
	seen := false
	for _, m := range obj {
		var err error
		switch m.key {
		case "Version":
			if p.Version, err = text(m.value); err == nil && p.Version != "2012-10-17" && p.Version != "2008-10-17" {
				err = fmt.Errorf("unknown version %q", p.Version)
			}
		case "Id":
			p.ID, err = text(m.value)
		case "Statement":
			seen = true
			p.Statements, err = readStatements(m.value)
		default:
			err = errors.New("unknown element")
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	if !seen {
		return p, errors.New("no Statement")
	}
	return p, nil
}

func readStatements(v any) ([]Statement, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]Statement, len(list))
	for i, e := range list {
		obj, ok := e.(object)
		if !ok {
			return nil, fmt.Errorf("number %d is not an object", i+1)
		}
		s, err := readStatement(obj)
		if err != nil {
			return nil, fmt.Errorf("number %d: %w", i+1, err)
		}
		s.index = i
		out[i] = s
	}
	return out, nil
}

func readStatement(obj object) (Statement, error) {
	var s Statement
	for _, m := range obj {
		var err error
		switch m.key {
		case "Sid":
			s.Sid, err = text(m.value)
		case "Effect":
			var e string
			if e, err = text(m.value); err == nil && e != string(Allow) && e != string(Deny) {
				err = fmt.Errorf("unknown effect %q", e)
			}
			s.Effect = Effect(e)
		case "Principal":
			s.Principal, err = readPrincipals(m.value)
		case "NotPrincipal":
			s.NotPrincipal, err = readPrincipals(m.value)
		case "Action":
			s.Actions, err = texts(m.value)
		case "NotAction":
			s.NotActions, err = texts(m.value)
		case "Resource":
			s.Resources, err = texts(m.value)
		case "NotResource":
			s.NotResources, err = texts(m.value)
		case "Condition":
			s.Conditions, err = readConditions(m.value)
		default:
			err = errors.New("unknown element")
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	switch {
	case s.Effect == "":
		return s, errors.New("no Effect")
	case len(s.Actions) > 0 == (len(s.NotActions) > 0):
		return s, errors.New("one of Action and NotAction is needed")
	case len(s.Resources) > 0 && len(s.NotResources) > 0:
		return s, errors.New("both Resource and NotResource")
	case !s.Principal.IsZero() && !s.NotPrincipal.IsZero():
		return s, errors.New("both Principal and NotPrincipal")
	}
	return s, nil
}

func readPrincipals(v any) (Principals, error) {
	var p Principals
	if v == "*" {
		p.Any = true
		return p, nil
	}
	obj, ok := v.(object)
	if !ok || len(obj) == 0 {
		return p, errors.New(`neither "*" nor a map of principals`)
	}
	for _, m := range obj {
		var err error
		switch m.key {
		case "AWS":
			p.AWS, err = texts(m.value)
		case "Service":
			p.Service, err = texts(m.value)
		case "Federated":
			p.Federated, err = texts(m.value)
		case "CanonicalUser":
			p.CanonicalUser, err = texts(m.value)
		default:
			err = errors.New("unknown kind of principal")
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	return p, nil
}

func readConditions(v any) ([]Condition, error) {
	obj, ok := v.(object)
	if !ok {
		return nil, errors.New("not an object")
	}
	var out []Condition
	seen := map[Operator]bool{}
	for _, m := range obj {
		op, err := parseOperator(m.key)
		if err != nil {
			return nil, err
		}
		keys, ok := m.value.(object)
		if !ok {
			return nil, fmt.Errorf("%s: not an object", m.key)
		}
		if seen[op] {
			return nil, fmt.Errorf("%s: operator appears twice", m.key)
		}
		seen[op] = true
		first := len(out)
		for _, k := range keys {
			c := Condition{Operator: op, Key: k.key}
			if k.key == "" {
				return nil, fmt.Errorf("%s: empty condition key", m.key)
			}
			for i := first; i < len(out); i++ {
				if out[i].Is(k.key) {
					return nil, fmt.Errorf("%s: key %q appears twice", m.key, k.key)
				}
			}
			if c.Values, err = scalars(k.value); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", m.key, k.key, err)
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errors.New("not a string")
	}
	return s, nil
}

// texts reads a string or a list of strings, none of them empty.
func texts(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, errors.New("empty list")
	}
	out := make([]string, len(list))
	for i, e := range list {
		s, err := text(e)
		if err != nil {
			return nil, err
		}
		if s == "" {
			return nil, errors.New("empty string")
		}
		out[i] = s
	}
	return out, nil
}

// scalars reads condition values: strings, numbers and booleans, quoted or not.
func scalars(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case json.Number:
			out = append(out, e.String())
		case bool:
			out = append(out, map[bool]string{true: "true", false: "false"}[e])
		default:
			return nil, errors.New("a value is neither string, number nor boolean")
		}
	}
	return out, nil
}
