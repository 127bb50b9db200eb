package filter

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// Vocabulary is what can be asked of a list: its fields, and the values that those have.
// It is for people who mistype: a word that passes Words asks for something that can be.
type Vocabulary []Field

// Field is one field of a Vocabulary.
type Field struct {
	// Name is the field's, the same in filters, in JSON, in CSV and in --columns. One that
	// ends with a colon is of all fields that begin with it.
	Name string
	// Also are other names that a filter may call it by.
	Also []string
	Doc  string // what it is, in a few words
	// Values are all that there are, where they are known; nil where any text can be one.
	Values func() []string
	// Ordered says that Values are in order, so that they can be compared, and Dates that
	// values are moments.
	Ordered, Dates bool
	// Order compares two values of a field whose Values are some of those that have a place
	// in the order, and is false of what has none: nothing is newer than the newest version.
	Order func(a, b string) (int, bool)
	// Meaning are the values that a word which is none stands for, as a name does for the
	// accounts that are called so; none if it stands for nothing. Nil knows no such words.
	Meaning func(word string) ([]string, error)
}

// few is how many values are told to who names none of them.
const few = 8

// Words reads the words of a filter, and gives them as a filter of T has them (Parse, Terms):
// by the names of fields, and of values. What cannot be, because there is no such field or no
// such value, is a *check.UnknownError that has what comes nearest.
func (v Vocabulary) Words(words []string) ([]string, error) {
	canonical := make([]string, len(words))
	for i, word := range words {
		var err error
		if canonical[i], err = v.word(word); err != nil {
			return nil, err
		}
	}
	return canonical, nil
}

// Names are the names of all fields.
func (v Vocabulary) Names() []string {
	names := make([]string, len(v))
	for i, f := range v {
		names[i] = f.Name
	}
	return names
}

// Field finds a field by any of its names.
func (v Vocabulary) Field(name string) (Field, bool) {
	for _, f := range v {
		family := strings.HasSuffix(f.Name, ":") && len(name) > len(f.Name) && strings.HasPrefix(name, f.Name)
		if f.Name == name && !strings.HasSuffix(name, ":") || family || slices.Contains(f.Also, name) {
			return f, true
		}
	}
	return Field{}, false
}

// Canonical is a field's own name for any of its names; what is no field's stays as it is.
func (v Vocabulary) Canonical(name string) string {
	if f, ok := v.Field(name); ok && !strings.HasSuffix(f.Name, ":") {
		return f.Name
	}
	return name
}

func (v Vocabulary) word(word string) (string, error) {
	name, operator, value, ok := split(word)
	if !ok {
		return "", wrong(word, "want FIELD=VALUE, FIELD!=VALUE, FIELD>=DATE or FIELD<=DATE")
	}
	f, ok := v.Field(name)
	if !ok && slices.Contains(v.Names(), name) {
		return "", wrong(word, "want a name behind "+name)
	}
	if !ok {
		all := v.Names()
		for _, f := range v {
			all = append(all, f.Also...)
		}
		return "", &check.UnknownError{What: "filter", Word: name, Nearest: check.Nearest(name, all)}
	}
	name = v.Canonical(name)
	var values []string
	var err error
	switch compares := strings.ContainsAny(operator, "<>"); {
	case f.Dates && compares: // Terms reads the date
		return name + operator + value, nil
	case f.Dates:
		values, err = f.days(word, value)
	case compares && f.Order != nil:
		values, err = f.placed(operator, value)
		operator = "="
	case compares && !f.Ordered:
		return "", wrong(word, name+" has no order: use = or !=")
	case compares:
		values, err = f.compared(operator, value)
		operator = "="
	default:
		values, err = f.all(value)
	}
	return name + operator + strings.Join(values, ","), err
}

// days are the moments of a field of dates that are asked for with = or !=: those of whole
// days, too.
func (f Field) days(word, value string) ([]string, error) {
	var all []string
	for _, one := range strings.Split(value, ",") {
		if one == "*" {
			all = append(all, one)
			continue
		}
		at, err := day(one)
		if err != nil {
			return nil, wrong(word, err.Error())
		}
		if len(one) == len(time.DateOnly) {
			all = append(all, at.Format(time.DateOnly)+"T*")
		} else {
			all = append(all, Stamp(at))
		}
	}
	return all, nil
}

// compared are the values of an ordered field that stand so to another.
func (f Field) compared(operator, value string) ([]string, error) {
	values := f.Values()
	bound := slices.IndexFunc(values, func(v string) bool { return strings.EqualFold(v, value) })
	if bound < 0 {
		return nil, f.unknown(value, values)
	}
	var fit []string
	for i, v := range values {
		if operator[0] == '>' && i > bound || operator[0] == '<' && i < bound || i == bound && strings.HasSuffix(operator, "=") {
			fit = append(fit, v)
		}
	}
	if len(fit) == 0 {
		return nil, wrong(f.Name+operator+value, "there is none")
	}
	return fit, nil
}

// placed are the values of a field with an Order that stand so to a word, or what none is.
func (f Field) placed(operator, value string) ([]string, error) {
	if _, ok := f.Order(value, value); !ok {
		return nil, f.unknown(value, f.Values())
	}
	fit := []string{value}
	if !strings.HasSuffix(operator, "=") {
		fit = []string{"none"}
	}
	for _, v := range f.Values() {
		if d, ok := f.Order(v, value); ok && (operator[0] == '>' && d > 0 || operator[0] == '<' && d < 0) {
			fit = append(fit, v)
		}
	}
	return fit, nil
}

// all are the values that a list of words stands for.
func (f Field) all(list string) ([]string, error) {
	var all []string
	for _, word := range strings.Split(list, ",") {
		meant, err := f.meant(word)
		if err != nil {
			return nil, err
		}
		all = append(all, meant...)
	}
	return all, nil
}

func (f Field) meant(word string) ([]string, error) {
	var known []string
	if f.Values != nil {
		known = f.Values()
		if slices.ContainsFunc(known, func(v string) bool { return strings.EqualFold(v, word) }) {
			return []string{word}, nil
		}
	}
	if f.Meaning != nil {
		if meant, err := f.Meaning(word); err != nil || len(meant) > 0 {
			return meant, err
		}
	}
	if f.Values == nil {
		return []string{word}, nil
	}
	if IsPattern(word) {
		if _, err := path.Match(word, ""); err != nil {
			return nil, wrong(f.Name+"="+word, err.Error())
		}
		p := newGlob(fold(word))
		if slices.ContainsFunc(known, func(v string) bool { return p.match(fold(v)) }) {
			return []string{word}, nil
		}
	}
	return nil, f.unknown(word, known)
}

func (f Field) unknown(word string, known []string) error {
	err := &check.UnknownError{What: f.Name, Word: word, Nearest: check.Nearest(word, known)}
	if len(known) <= few {
		err.Among = known
	}
	return err
}
