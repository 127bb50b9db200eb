// Package filter is the one language of filters, in commands and in the API:
// words such as "severity=high,critical", "region!=us-east-1" or
// "first_seen>=2026-05-01". Words are joined by AND, the values of a word by OR.
package filter

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// Fields are what a filter can ask of a T, by name. A field has any number of
// values, or those of Unknown; times are written in RFC 3339.
type Fields[T any] map[string]func(T) []string

// Unknown are the values of a field that could not be read. They fit no word:
// neither FIELD=VALUE nor FIELD!=VALUE may claim anything.
var Unknown = []string{"\x00unknown"}

// Filter decides on values of T.
type Filter[T any] struct{ terms []term[T] }

type term[T any] struct {
	values func(T) []string
	Term
}

// Term is one word of a filter: what it asks of one field. It is for whoever keeps the
// values of many things together, and asks of each value once.
type Term struct {
	Field    string
	operator string
	exact    map[string]bool // wanted values without * and the like, of which there may be many
	wanted   []glob
	bound    time.Time // of an operator that compares
}

// operators, the longer before those they begin with.
var operators = []string{"!=", ">=", "<=", "=", ">", "<"}

// Parse reads the words of a filter. An unknown field is a *check.UnknownError.
func Parse[T any](fields Fields[T], words []string) (Filter[T], error) {
	var f Filter[T]
	terms, err := Terms(slices.Sorted(maps.Keys(fields)), words)
	for _, t := range terms {
		f.terms = append(f.terms, term[T]{fields[t.Field], t})
	}
	return f, err
}

// WordError says what is wrong with a word of a filter, of which the field is known, or none
// is named.
type WordError struct{ Word, Why string }

func (e *WordError) Error() string { return fmt.Sprintf("filter %q: %s", e.Word, e.Why) }

func wrong(word, why string) error { return &WordError{word, why} }

// Terms reads the words of a filter whose fields have these names. A name that ends with
// a colon is of all fields that begin with it. An unknown field is a *check.UnknownError.
func Terms(names, words []string) ([]Term, error) {
	var all []Term
	for _, word := range words {
		t, err := parse(names, word)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func parse(names []string, word string) (t Term, err error) {
	name, operator, value, ok := split(word)
	if !ok {
		return t, wrong(word, "want FIELD=VALUE, FIELD!=VALUE, FIELD>=DATE or FIELD<=DATE")
	}
	if !slices.ContainsFunc(names, func(n string) bool {
		return n == name || strings.HasSuffix(n, ":") && len(name) > len(n) && strings.HasPrefix(name, n)
	}) {
		return t, &check.UnknownError{What: "filter", Word: name, Nearest: check.Nearest(name, names)}
	}
	t.Field, t.operator = name, operator
	wanted := strings.Split(value, ",")
	if strings.ContainsAny(operator, "<>") {
		if len(wanted) != 1 {
			return t, wrong(word, "compare with one date")
		}
		if t.bound, err = day(value); err != nil {
			return t, wrong(word, err.Error())
		}
	}
	for _, w := range wanted {
		if _, err := path.Match(w, ""); err != nil {
			return t, wrong(word, fmt.Sprintf("pattern %q: %s", w, err))
		}
		if IsPattern(w) {
			t.wanted = append(t.wanted, newGlob(fold(w)))
			continue
		}
		if t.exact == nil {
			t.exact = make(map[string]bool, len(wanted))
		}
		t.exact[fold(w)] = true
	}
	return t, nil
}

// FieldOf is the field that a word asks for, empty if it is no word of a filter.
func FieldOf(word string) string {
	name, _, _, _ := split(word)
	return name
}

// Part parts words into those on some fields, and the others. A name that ends with a colon
// is of all fields that begin with it.
func Part(words []string, fields ...string) (those, others []string) {
	for _, word := range words {
		name := FieldOf(word)
		if slices.ContainsFunc(fields, func(f string) bool { return f == name || strings.HasSuffix(f, ":") && strings.HasPrefix(name, f) }) {
			those = append(those, word)
		} else {
			others = append(others, word)
		}
	}
	return those, others
}

func split(word string) (name, operator, value string, ok bool) {
	at := strings.IndexAny(word, "=<>!")
	if at <= 0 {
		return "", "", "", false
	}
	for _, o := range operators {
		if rest, found := strings.CutPrefix(word[at:], o); found {
			return word[:at], o, rest, true
		}
	}
	return "", "", "", false
}

func day(value string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return t, fmt.Errorf("%q is not a date such as 2026-05-01", value)
	}
	return t, nil
}

// Match reports whether v fits every word.
func (f Filter[T]) Match(v T) bool {
	for _, t := range f.terms {
		if !t.Match(t.values(v)) {
			return false
		}
	}
	return true
}

// Match reports whether a field with these values fits the word.
func (t Term) Match(values []string) bool {
	if slices.Equal(values, Unknown) {
		return false
	}
	switch t.operator {
	case "=":
		return slices.ContainsFunc(values, t.wants)
	case "!=":
		return !slices.ContainsFunc(values, t.wants)
	}
	return slices.ContainsFunc(values, func(v string) bool {
		have, err := time.Parse(time.RFC3339, v)
		return err == nil && t.compare(have)
	})
}

// MatchTime is Match for a field of which the values are times: none or one. It does not
// write the time for a word that compares.
func (t Term) MatchTime(at time.Time) bool {
	switch {
	case at.IsZero():
		return t.Match(nil)
	case t.bound.IsZero():
		return t.Match([]string{Stamp(at)})
	}
	return t.compare(at.Truncate(time.Second))
}

// Stamp is how a time is written as a value of a field.
func Stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// MatchFolded is Match for a field of one value that AppendFold made.
func (t Term) MatchFolded(value string) bool {
	switch t.operator {
	case "=":
		return t.wantsFolded(value)
	case "!=":
		return !t.wantsFolded(value)
	}
	return t.Match([]string{value})
}

// wants compares without regard to case.
func (t Term) wants(value string) bool { return t.wantsFolded(fold(value)) }

func (t Term) wantsFolded(value string) bool {
	return t.exact[value] || slices.ContainsFunc(t.wanted, func(g glob) bool { return g.match(value) })
}

func (t Term) compare(have time.Time) bool {
	switch t.operator {
	case ">=":
		return !have.Before(t.bound)
	case ">":
		return have.After(t.bound)
	case "<=":
		return !have.After(t.bound)
	default:
		return have.Before(t.bound)
	}
}

// globs are the characters that make a wanted value a pattern.
const globs = `*?[\`

// IsPattern reports whether a wanted value is a pattern, rather than a value itself.
func IsPattern(wanted string) bool { return strings.ContainsAny(wanted, globs) }

// fold is the form in which values are compared.
func fold(s string) string { return strings.ToLower(s) }

// AppendFold appends a value in the form in which values are compared. Values that are folded
// one by one and joined are as those that are joined and folded.
func AppendFold(to []byte, value string) []byte {
	for i := range len(value) {
		if value[i] >= utf8.RuneSelf {
			return append(to, fold(value)...)
		}
	}
	for i := range len(value) {
		c := value[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
