package across

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// event is an event of CloudTrail by the paths of its fields.
type event map[string]string

// pattern tells whether a metric filter counts an event.
type pattern func(event) bool

// parsePattern reads a filter pattern for events in JSON. Patterns of other
// forms, for words or columns, are no such pattern and count nothing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func parsePattern(text string) (pattern, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), "{")
	if !ok {
		return func(event) bool { return false }, nil
	}
	body, ok = strings.CutSuffix(body, "}")
	if !ok {
		return nil, errors.New("the pattern has no end")
	}
	tokens, err := scan(body)
	if err != nil {
		return nil, err
	}
	p := parser{tokens}
	whole, err := p.or()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("unexpected %q", p.tokens[0])
	}
	return whole, nil
}

// tokens are selectors, quoted words with their quotes, bare words, expressions
// between percent signs, operators and parentheses.
var tokens = regexp.MustCompile(`^\s*(\$(?:[\w.@:-]|\[[^\]]*\])*|"(?:[^"\\]|\\.)*"|%[^%]*%|&&|\|\||!=|<=|>=|[=<>()]|[^\s()=!<>&|"{}]+)`)

func scan(text string) ([]string, error) {
	var all []string
	for strings.TrimSpace(text) != "" {
		found := tokens.FindStringSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("unexpected %q", strings.TrimSpace(text))
		}
		all, text = append(all, found[1]), text[len(found[0]):]
	}
	return all, nil
}

type parser struct{ tokens []string }

// next takes the token that comes next; empty at the end.
func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

// accept takes the next token if it is the word.
func (p *parser) accept(word string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or() (pattern, error) {
	return p.chain("||", p.and, func(a, b pattern) pattern { return func(e event) bool { return a(e) || b(e) } })
}

// and binds closer than or.
func (p *parser) and() (pattern, error) {
	return p.chain("&&", p.term, func(a, b pattern) pattern { return func(e event) bool { return a(e) && b(e) } })
}

func (p *parser) chain(operator string, part func() (pattern, error), join func(a, b pattern) pattern) (pattern, error) {
	whole, err := part()
	for err == nil && p.accept(operator) {
		var more pattern
		if more, err = part(); err == nil {
			whole = join(whole, more)
		}
	}
	return whole, err
}

func (p *parser) term() (pattern, error) {
	first := p.next()
	if first == "(" {
		inner, err := p.or()
		if err == nil && !p.accept(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return inner, err
	}
	if !strings.HasPrefix(first, "$") {
		return nil, fmt.Errorf("%q is not a selector", first)
	}
	return p.comparison(strings.TrimPrefix(strings.TrimPrefix(first, "$"), "."))
}

// comparison is what a pattern asks of one field. An event that lacks the field
// matches no comparison, != included: CloudWatch's own test of patterns shows it.
// https://github.com/DataBiosphere/azul/issues/5884 (2024)
func (p *parser) comparison(field string) (pattern, error) {
	exists := func(e event) bool { _, ok := e[field]; return ok }
	switch operator := strings.ToUpper(p.next()); operator {
	case "EXISTS":
		return exists, nil
	case "NOT":
		if !p.accept("EXISTS") {
			return nil, errors.New("NOT without EXISTS")
		}
		return not(exists), nil
	case "IS":
		negated := p.accept("NOT")
		value := strings.ToLower(p.next())
		is := func(e event) bool { return exists(e) && e[field] == value }
		if negated {
			return both(exists, not(is)), nil
		}
		return is, nil
	case "=", "!=":
		matches, err := matcher(p.next())
		equals := func(e event) bool { return exists(e) && matches(e[field]) }
		if operator == "!=" {
			return both(exists, not(equals)), err
		}
		return equals, err
	case "<", ">", "<=", ">=":
		limit, err := strconv.ParseFloat(p.next(), 64)
		return func(e event) bool { return compare(e[field], operator, limit) }, err
	default:
		return nil, fmt.Errorf("unknown operator %q", operator)
	}
}

func both(a, b pattern) pattern { return func(e event) bool { return a(e) && b(e) } }

func not(p pattern) pattern { return func(e event) bool { return !p(e) } }

// matcher reads a value: a word in quotes or not, with asterisks for anything,
// or a regular expression between percent signs.
func matcher(value string) (func(string) bool, error) {
	if value == "" || value == "(" || value == ")" {
		return nil, errors.New("a value is missing")
	}
	word := strings.Trim(value, `"`)
	source := "^" + strings.ReplaceAll(regexp.QuoteMeta(word), `\*`, ".*") + "$"
	if expression, ok := strings.CutPrefix(word, "%"); ok {
		source = strings.TrimSuffix(expression, "%")
	}
	expression, err := regexp.Compile(source)
	if err != nil {
		return nil, fmt.Errorf("value %q: %w", value, err)
	}
	return expression.MatchString, nil
}

func compare(value, operator string, limit float64) bool {
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return false
	}
	switch operator {
	case "<":
		return number < limit
	case ">":
		return number > limit
	case "<=":
		return number <= limit
	default:
		return number >= limit
	}
}
