package api

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// optionValue is a model.OptionValue in schemas, which its fields do not tell.
type optionValue struct{}

// Schema implements huma.SchemaProvider.
func (optionValue) Schema(huma.Registry) *huma.Schema {
	most, longest := model.MaxOptionWords, model.MaxWord
	return &huma.Schema{
		Description: "A whole number, or a list of words",
		OneOf: []*huma.Schema{
			{Type: huma.TypeInteger},
			{Type: huma.TypeArray, MaxItems: &most, Items: &huma.Schema{Type: huma.TypeString, MaxLength: &longest}},
		},
	}
}

// TellShapes tells a registry the shapes of what is not written as its fields are.
func TellShapes(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[model.OptionValue](), reflect.TypeFor[optionValue]())
}

// settable refuses options that checks do not have, or cannot be set to so.
func (a *API) settable(ctx context.Context, options model.CheckOptions) error {
	if err := a.Catalog.CheckOptions(options); err != nil {
		return invalid(ctx, "body.options", err.Error())
	}
	return nil
}
