package api

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Selected is an object of which a client may want some members alone.
type Selected[T any] struct {
	Of   T
	Only []string // members by their names; nil is all
}

// MarshalJSON implements json.Marshaler. Members stand in the object's own order.
func (p Selected[T]) MarshalJSON() ([]byte, error) {
	whole, err := shape.Marshal(p.Of)
	if err != nil || p.Only == nil {
		return whole, err
	}
	in := jsontext.NewDecoder(bytes.NewBuffer(whole))
	if _, err := in.ReadToken(); err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(p.Only, name.String()) {
			if err := in.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, name.String())
		value, err := in.ReadValue()
		if err != nil {
			return nil, err
		}
		out = append(append(out, ':'), value...)
	}
	return append(out, '}'), nil
}

// Schema implements huma.SchemaProvider: that of the object, of which a client may leave
// members out.
func (Selected[T]) Schema(r huma.Registry) *huma.Schema {
	whole := r.Schema(reflect.TypeFor[T](), false, "")
	some := *whole
	some.Required = nil
	some.PrecomputeMessages()
	return &some
}

// members are the members of a T that a client wants, nil if all.
func members[T any](ctx context.Context, fields string) ([]string, error) {
	wanted := list(fields)
	if wanted == nil {
		return nil, nil
	}
	var known []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous && name != "" && name != "-" {
			known = append(known, name)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			err := &check.UnknownError{What: "field", Word: name, Nearest: check.Nearest(name, known)}
			return nil, invalid(ctx, "query.fields", err.Error())
		}
	}
	return wanted, nil
}
