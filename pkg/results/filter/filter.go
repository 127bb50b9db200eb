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
	values   func(T) []string
	operator string
	wanted   []string
}

// operators, the longer before those they begin with.
var operators = []string{"!=", ">=", "<=", "=", ">", "<"}

// Parse reads the words of a filter. An unknown field is a *check.UnknownError.
func Parse[T any](fields Fields[T], words []string) (Filter[T], error) {
	var f Filter[T]
	for _, word := range words {
		name, operator, value, ok := split(word)
		if !ok {
			return f, fmt.Errorf("filter %q: want FIELD=VALUE, FIELD!=VALUE, FIELD>=DATE or FIELD<=DATE", word)
		}
		values, known := fields[name]
		if !known {
			names := slices.Sorted(maps.Keys(fields))
			return f, &check.UnknownError{What: "filter", Word: name, Nearest: check.Nearest(name, names)}
		}
		wanted := strings.Split(value, ",")
		if strings.ContainsAny(operator, "<>") {
			if len(wanted) != 1 {
				return f, fmt.Errorf("filter %q: compare with one date", word)
			}
			if _, err := day(value); err != nil {
				return f, fmt.Errorf("filter %q: %w", word, err)
			}
		}
		for _, w := range wanted {
			if _, err := path.Match(w, ""); err != nil {
				return f, fmt.Errorf("filter %q: pattern %q: %w", word, w, err)
			}
		}
		f.terms = append(f.terms, term[T]{values, operator, wanted})
	}
	return f, nil
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
		if !t.match(t.values(v)) {
			return false
		}
	}
	return true
}

func (t term[T]) match(values []string) bool {
	if slices.Equal(values, Unknown) {
		return false
	}
	switch t.operator {
	case "=":
		return slices.ContainsFunc(values, t.wants)
	case "!=":
		return !slices.ContainsFunc(values, t.wants)
	}
	return slices.ContainsFunc(values, t.compare)
}

// wants compares without regard to case; a value of the filter may hold * and ?,
// where * spans anything, slashes of ARNs too.
func (t term[T]) wants(value string) bool {
	value = strings.ReplaceAll(strings.ToLower(value), "/", "\x00")
	return slices.ContainsFunc(t.wanted, func(w string) bool {
		ok, err := path.Match(strings.ReplaceAll(strings.ToLower(w), "/", "\x00"), value)
		return err == nil && ok
	})
}

func (t term[T]) compare(value string) bool {
	have, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return false
	}
	want, err := day(t.wanted[0])
	if err != nil {
		return false
	}
	switch t.operator {
	case ">=":
		return !have.Before(want)
	case ">":
		return have.After(want)
	case "<=":
		return !have.After(want)
	default:
		return have.Before(want)
	}
}
