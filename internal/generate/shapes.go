package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

// shapes are the objects that the API, the command and exports have in common, by the names
// of their schemas.
var shapes = map[string]struct {
	of    reflect.Type
	title string
}{
	"attestation":       {reflect.TypeFor[compliance.Attestation](), "What a person says of a requirement"},
	"framework":         {reflect.TypeFor[compliance.Standing](), "How accounts stand by a framework"},
	"requirement":       {reflect.TypeFor[compliance.Asked](), "How accounts stand by a requirement"},
	"whole-requirement": {reflect.TypeFor[compliance.WholeAsked](), "How accounts stand by a requirement, part by part"},
	"audit":             {reflect.TypeFor[shape.Audit](), "An audit in short"},
	"whole-audit":       {reflect.TypeFor[shape.WholeAudit](), "An audit with all that is recorded of it"},
	"check":             {reflect.TypeFor[shape.Check](), "A check"},
	"difference":        {reflect.TypeFor[shape.Difference](), "A verdict that is not what it was in an earlier audit"},
	"finding":           {reflect.TypeFor[shape.Finding](), "A check that failed for a resource, from the first time to the last"},
	"resource":          {reflect.TypeFor[shape.Resource](), "A resource as an audit saw it"},
	"trend-point":       {reflect.TypeFor[trend.Point](), "How something stood at a time"},
	"verdict":           {reflect.TypeFor[shape.Verdict](), "What one check said of one resource in one audit"},
}

// schemas are the JSON Schemas of all shapes, by their files.
func schemas() (map[string]string, error) {
	files := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		s := shapes[name]
		registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
		api.TellShapes(registry)
		schema := registry.Schema(s.of, false, "")
		text, err := json.Marshal(schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		var whole map[string]any
		if err := json.Unmarshal(text, &whole); err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		defs := map[string]any{}
		if text, err = json.Marshal(registry.Map()); err == nil {
			err = json.Unmarshal(text, &defs)
		}
		if err != nil {
			return nil, fmt.Errorf("schemas that %s refers to: %w", name, err)
		}
		whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
		whole["$id"] = fmt.Sprintf("urn:cloudarq:%s:%d", name, shape.Version)
		whole["title"] = s.title
		if len(defs) > 0 {
			whole["$defs"] = defs
		}
		open(whole)
		if text, err = json.MarshalIndent(whole, "", "  "); err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		files[fmt.Sprintf("pkg/results/shape/schemas/%s.v%d.json", name, shape.Version)] = string(text) + "\n"
	}
	return files, nil
}

// open takes from schemas that there is nothing else: members may be added within a version.
func open(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if s["additionalProperties"] == false {
			delete(s, "additionalProperties")
		}
		for _, one := range s {
			open(one)
		}
	case []any:
		for _, one := range s {
			open(one)
		}
	}
}
