package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Members are the columns of a T: those chosen for tables, and after them one for each other
// member that T has as JSON, by its name: remediation.cli for a member of a member.
func Members[T any](chosen ...Column[T]) []Column[T] {
	columns := slices.Clone(chosen)
	for _, m := range membersOf(reflect.TypeFor[T](), nil, "") {
		if !slices.ContainsFunc(chosen, func(c Column[T]) bool { return c.Name == m.name }) {
			columns = append(columns, Column[T]{Name: m.name, Wide: true, Value: func(row T) string { return m.text(reflect.ValueOf(row)) }})
		}
	}
	return columns
}

type member struct {
	name  string
	index []int
}

func membersOf(t reflect.Type, index []int, prefix string) []member {
	var all []member
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(slices.Clone(index), i)
		switch {
		case f.Anonymous && name == "":
			all = append(all, membersOf(f.Type, at, prefix)...)
		case !f.IsExported() || name == "-":
		case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]():
			all = append(all, membersOf(f.Type, at, prefix+name+".")...)
		default:
			all = append(all, member{prefix + name, at})
		}
	}
	return all
}

// text is the member of a row in a cell: words with spaces between them, and JSON where it
// is more than that.
func (m member) text(row reflect.Value) string {
	v := row.FieldByIndex(m.index)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch of := v.Interface().(type) {
	case time.Time:
		return when(of)
	case json.RawMessage:
		return string(of)
	case map[string][]string:
		return pairs(of)
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return fmt.Sprint(v.Interface())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			return joined(v)
		}
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.String {
			tags := map[string]string{}
			for _, key := range v.MapKeys() {
				tags[key.String()] = v.MapIndex(key).String()
			}
			parts := make([]string, 0, len(tags))
			for _, key := range slices.Sorted(maps.Keys(tags)) {
				parts = append(parts, key+"="+tags[key])
			}
			return strings.Join(parts, " ")
		}
	default:
	}
	if v.Kind() == reflect.Slice && v.Len() == 0 {
		return ""
	}
	data, err := json.Marshal(v.Interface())
	if err != nil {
		return ""
	}
	return string(data)
}

func joined(v reflect.Value) string {
	words := make([]string, v.Len())
	for i := range words {
		words[i] = v.Index(i).String()
	}
	return strings.Join(words, " ")
}
