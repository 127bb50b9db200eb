package iampolicy

import (
	"fmt"
	"strings"
)

// Condition is one key of one operator in a Condition block. All conditions of
// a statement must hold; one of the values must match (none of them, where the
// operator is negated).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
type Condition struct {
	Operator Operator
	Key      string // as written; compare with Is
	Values   []string
}

// Operator is a condition operator taken apart.
type Operator struct {
	Name       string // StringEquals, ArnLike, Null...
	Quantifier string // "", ForAnyValue or ForAllValues
	IfExists   bool
}

// Is tells that the condition is about the key. Condition keys are
// case-insensitive: the SNS default policy writes AWS:SourceOwner.
func (c *Condition) Is(key string) bool { return strings.EqualFold(c.Key, key) }

// String writes the condition for people: "aws:SourceAccount = 1, 2 (StringEquals)".
func (c *Condition) String() string {
	return c.Key + " = " + strings.Join(c.Values, ", ") + " (" + c.Operator.String() + ")"
}

// String writes the operator as the policy language does.
func (o Operator) String() string {
	s := o.Name
	if o.Quantifier != "" {
		s = o.Quantifier + ":" + s
	}
	if o.IfExists {
		s += "IfExists"
	}
	return s
}

// Negated tells that the operator holds when no value matches, and so also
// when the request lacks the key.
func (o Operator) Negated() bool { return strings.Contains(o.Name, "Not") }

// textual tells that the operator compares strings, ARNs or addresses.
func (o Operator) textual() bool {
	switch o.Name {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
		"StringLike", "StringNotLike", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike",
		"IpAddress", "NotIpAddress":
		return true
	}
	return false
}

// arnWise tells that wildcards stay within one colon-separated part of an ARN.
// ArnEquals and ArnLike behave alike.
func (o Operator) arnWise() bool { return strings.HasPrefix(o.Name, "Arn") }

// literal tells that * and ? stand for themselves.
func (o Operator) literal() bool {
	return strings.HasPrefix(o.Name, "String") && !strings.HasSuffix(o.Name, "Like")
}

// operatorName gives the canonical spelling of an operator, or "".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func operatorName(s string) string {
	for _, name := range [...]string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	} {
		if strings.EqualFold(s, name) {
			return name
		}
	}
	return ""
}

func parseOperator(s string) (Operator, error) {
	var o Operator
	rest := s
	if q, r, ok := strings.Cut(s, ":"); ok {
		switch {
		case strings.EqualFold(q, "ForAnyValue"):
			o.Quantifier = "ForAnyValue"
		case strings.EqualFold(q, "ForAllValues"):
			o.Quantifier = "ForAllValues"
		default:
			return o, fmt.Errorf("unknown condition operator %q", s)
		}
		rest = r
	}
	if n := len(rest) - len("IfExists"); n > 0 && strings.EqualFold(rest[n:], "IfExists") {
		o.IfExists = true
		rest = rest[:n]
	}
	o.Name = operatorName(rest)
	if o.Name == "" || o.Name == "Null" && o.IfExists {
		return o, fmt.Errorf("unknown condition operator %q", s)
	}
	return o, nil
}
