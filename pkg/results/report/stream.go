package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Stream writes a list row by row, for lists too long to hold: JSON, NDJSON, CSV, or a
// table that is for no terminal: a line a row, with tabs between the columns.
type Stream[T any] struct {
	w       io.Writer
	format  Format
	columns []Column[T]
	members []string // of T that JSON has; nil is all
	rows    int
}

// NewStream begins a list.
func NewStream[T any](w io.Writer, format Format, columns []Column[T]) (*Stream[T], error) {
	s := &Stream[T]{w: w, format: format, columns: columns}
	switch format {
	case CSV:
		return s, s.record(func(c Column[T]) string { return c.Name })
	case Table:
		return s, s.record(func(c Column[T]) string { return strings.ToUpper(c.Name) })
	case JSON, NDJSON:
	}
	return s, nil
}

func (s *Stream[T]) record(value func(Column[T]) string) error {
	record := make([]string, len(s.columns))
	escape, separator := cell, ","
	if s.format == Table {
		escape, separator = func(value string) string { return Plain(oneLine.Replace(value)) }, "\t"
	}
	for i, c := range s.columns {
		record[i] = escape(value(c))
	}
	if _, err := fmt.Fprintln(s.w, strings.Join(record, separator)); err != nil {
		return fmt.Errorf("write %s: %w", s.format, err)
	}
	return nil
}

// Write adds a row.
func (s *Stream[T]) Write(row T) error {
	s.rows++
	if s.format == CSV || s.format == Table {
		return s.record(func(c Column[T]) string { return c.text(row) })
	}
	data, err := s.object(row)
	if err != nil {
		return fmt.Errorf("write %s: %w", s.format, err)
	}
	before, after := "", "\n"
	if s.format == JSON {
		before, after = ",\n", ""
		if s.rows == 1 {
			before = "[\n"
		}
	}
	if _, err := fmt.Fprint(s.w, before, string(data), after); err != nil {
		return fmt.Errorf("write %s: %w", s.format, err)
	}
	return nil
}

// object is a row as JSON, or those of its members that were asked for. A column that is
// no member is what it says in words.
func (s *Stream[T]) object(row T) ([]byte, error) {
	whole, err := shape.Marshal(row)
	if err != nil || len(s.members) == 0 {
		return whole, err
	}
	var has map[string]json.RawMessage
	_ = json.Unmarshal(whole, &has) // of what is no object, there are no members
	out := []byte("{")
	for i, name := range s.members {
		value, ok := has[name]
		if at := slices.IndexFunc(s.columns, func(c Column[T]) bool { return c.Name == name }); !ok && at >= 0 {
			if value, err = shape.Marshal(s.columns[at].text(row)); err != nil {
				return nil, err
			}
		} else if !ok { // of what is left out where it is empty
			value = []byte("null")
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:%s", name, value)
	}
	return append(out, '}'), nil
}

// Close ends the list.
func (s *Stream[T]) Close() error {
	var err error
	switch {
	case s.format == JSON && s.rows == 0:
		_, err = fmt.Fprintln(s.w, "[]")
	case s.format == JSON:
		_, err = fmt.Fprint(s.w, "\n]\n")
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", s.format, err)
	}
	return nil
}
