package collecttest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// everyFieldSet wants each field of each type to have a value in some resource:
// a field that no test sets is a field that nobody knows to work.
func everyFieldSet(t *testing.T, spec collect.Spec, resources []check.Resource) {
	t.Helper()
	set := map[string]bool{}
	kinds := map[string]reflect.Type{}
	for _, r := range resources {
		kinds[r.Kind()] = reflect.TypeOf(r)
		value := reflect.ValueOf(r)
		for i := range value.NumField() {
			if value.Field(i).Type() == reflect.TypeFor[model.Resource]() {
				continue
			}
			f, ok := value.Field(i).Interface().(fact.Any)
			if !ok {
				t.Errorf("%s.%s is not a fact", r.Kind(), value.Type().Field(i).Name)
				continue
			}
			path := r.Kind() + "." + value.Type().Field(i).Name
			set[path] = set[path] || f.Content() != nil
			if content := f.Content(); content != nil {
				mark(set, path, reflect.ValueOf(content))
			}
		}
	}
	for _, walk := range spec.Walks {
		for _, kind := range walk.Kinds {
			if kinds[kind] == nil {
				t.Errorf("no resource of type %s was emitted", kind)
			}
		}
	}
	var unset []string
	for path, ok := range set {
		if !ok {
			unset = append(unset, path)
		}
	}
	slices.Sort(unset)
	for _, path := range unset {
		t.Errorf("no resource of the full account sets %s", path)
	}
}

func mark(set map[string]bool, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			mark(set, path, v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			mark(set, path, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			mark(set, path, v.MapIndex(key))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[fact.Gap]() {
			return // a gap within a value is why a part of it is missing; no gap has all fields
		}
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if v.Type().Field(i).Type == reflect.TypeFor[*fact.Gap]() {
				continue
			}
			at := path + "." + v.Type().Field(i).Name
			set[at] = set[at] || !v.Field(i).IsZero()
			mark(set, at, v.Field(i))
		}
	default: // a plain value has nothing inside
	}
}
