package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Stream writes a list row by row, for lists too long to hold: JSON, NDJSON or
// CSV.
type Stream[T any] struct {
	w       io.Writer
	format  Format
	columns []Column[T]
	rows    int
}

// NewStream begins a list.
func NewStream[T any](w io.Writer, format Format, columns []Column[T]) (*Stream[T], error) {
	s := &Stream[T]{w: w, format: format, columns: columns}
	switch format {
	case CSV:
		return s, s.record(func(c Column[T]) string { return c.Name })
	case JSON, NDJSON:
		return s, nil
	case Table:
	}
	return nil, fmt.Errorf("cannot stream a %s", format)
}

func (s *Stream[T]) record(value func(Column[T]) string) error {
	record := make([]string, len(s.columns))
	for i, c := range s.columns {
		record[i] = cell(value(c))
	}
	if _, err := fmt.Fprintln(s.w, strings.Join(record, ",")); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// Write adds a row.
func (s *Stream[T]) Write(row T) error {
	s.rows++
	if s.format == CSV {
		return s.record(func(c Column[T]) string { return c.Value(row) })
	}
	data, err := json.Marshal(row)
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
	if _, err := fmt.Fprint(s.w, before, string(escaped(data)), after); err != nil {
		return fmt.Errorf("write %s: %w", s.format, err)
	}
	return nil
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
