package report

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Option is an option of a check with what it is set to.
type Option struct {
	Check model.CheckID `json:"check"`
	check.Option
	Value  model.OptionValue `json:"value"`
	Origin string            `json:"origin"` // "default", or where it was set
}

// OptionColumns are the columns of options, with where each was set or without.
func OptionColumns(origin bool) []Column[Option] {
	columns := []Column[Option]{
		{Name: "check", Value: func(o Option) string { return string(o.Check) }},
		{Name: "name", Value: func(o Option) string { return o.Name }},
		{Name: "value", Value: func(o Option) string { return o.Value.String() }, Fit: Prose},
		{Name: "default", Value: func(o Option) string { return o.Default.String() }, Fit: Prose},
	}
	if origin {
		columns = append(columns, Column[Option]{Name: "origin", Value: func(o Option) string { return o.Origin }, Fit: Prose})
	}
	return append(columns,
		Column[Option]{Name: "allowed", Value: func(o Option) string { return allowed(o.Option) }, Fit: Prose, Wide: true},
		Column[Option]{Name: "doc", Value: func(o Option) string { return o.Doc }, Fit: Prose},
	)
}

// allowed says what an option may be set to.
func allowed(o check.Option) string {
	switch {
	case o.Type == "number":
		return fmt.Sprintf("%d to %d %s", o.Min, o.Max, o.Unit)
	case len(o.Choices) > 0:
		return "some of " + model.WordsOf(o.Choices...).String()
	default:
		return "a list of what is a " + o.Unit
	}
}
