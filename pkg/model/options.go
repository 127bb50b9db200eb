package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// OptionValue is what a check's option is set to: a number, or words.
type OptionValue struct {
	Number int
	Words  []string // not nil if it is words, though there may be none
}

// NumberOf is the value that is a number.
func NumberOf(n int) OptionValue { return OptionValue{Number: n} }

// WordsOf is the value that is some words.
func WordsOf(words ...string) OptionValue { return OptionValue{Words: append([]string{}, words...)} }

// Equal reports whether two values are the same; words are a set.
func (v OptionValue) Equal(o OptionValue) bool {
	return v.String() == o.String() && (v.Words == nil) == (o.Words == nil)
}

// String is the value as it is written behind an option's name: "45", "80,443".
func (v OptionValue) String() string {
	if v.Words == nil {
		return strconv.Itoa(v.Number)
	}
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(v.Words))), ",")
}

// MarshalJSON writes a number, or an array of words.
func (v OptionValue) MarshalJSON() ([]byte, error) {
	if v.Words == nil {
		return json.Marshal(v.Number)
	}
	return json.Marshal(v.Words)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *OptionValue) UnmarshalJSON(data []byte) error {
	*v = OptionValue{}
	if json.Unmarshal(data, &v.Number) == nil && string(data) != "null" {
		return nil
	}
	if err := json.Unmarshal(data, &v.Words); err != nil || v.Words == nil {
		return errors.New("the value of an option is a whole number, or a list of words")
	}
	return nil
}

// CheckOptions are what options of checks are set to, by check and name. What is not set has
// its default.
type CheckOptions map[CheckID]map[string]OptionValue

// Or is what these say, and where they say nothing what others do.
func (o CheckOptions) Or(others CheckOptions) CheckOptions {
	if len(others) == 0 && o != nil {
		return o
	}
	all := CheckOptions{}
	for _, from := range []CheckOptions{others, o} {
		for id, values := range from {
			if all[id] == nil {
				all[id] = map[string]OptionValue{}
			}
			maps.Copy(all[id], values)
		}
	}
	return all
}

// What options may be set to, whatever a check allows.
const (
	MaxOptions     = 500 // checks that have some
	MaxOptionWords = 200
)

// Check refuses what no check allows, with a *FieldError. What each allows the catalogue knows.
func (o CheckOptions) Check() error {
	if len(o) > MaxOptions {
		return wrong("options", "%d checks are too many, at most %d are possible", len(o), MaxOptions)
	}
	for id, values := range o {
		for name, v := range values {
			field := fmt.Sprintf("options.%s.%s", id, name)
			if len(v.Words) > MaxOptionWords {
				return wrong(field, "%d words are too many, at most %d are possible", len(v.Words), MaxOptionWords)
			}
			for _, word := range append([]string{string(id), name}, v.Words...) {
				if word == "" {
					return wrong(field, "a word is empty")
				}
				if err := checkText(field, word, MaxWord); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
