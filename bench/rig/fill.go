package rig

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// maker makes resources of one type, with facts of every kind of value: what
// rules say of them is as mixed as of a real account's.
type maker struct {
	kind  check.Kind
	facts []factField
}

// factField is a field of the type that holds a fact, and the type of its value.
type factField struct {
	name  string // in JSON
	value reflect.Type
}

func newMaker(kind check.Kind) (maker, error) {
	m := maker{kind: kind}
	t := reflect.TypeOf(kind.Zero)
	for f := range fields(t) {
		if f.Anonymous {
			continue
		}
		name, ok := f.Tag.Lookup("json")
		value, isFact := valueOf(f.Type)
		if !ok || !isFact {
			return m, fmt.Errorf("%s: field %s is not a fact with a name", kind.Name, f.Name)
		}
		m.facts = append(m.facts, factField{name, value})
	}
	return m, nil
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// valueOf is T of a fact.Of[T].
func valueOf(t reflect.Type) (reflect.Type, bool) {
	get, ok := t.MethodByName("Get")
	if !ok || get.Type.NumOut() != 2 {
		return nil, false
	}
	return get.Type.Out(0), true
}

// make makes the resource that a reference names; the same seed makes the same.
func (m maker) make(ref model.Ref, seed uint64) (check.Resource, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	all := map[string]any{"arn": ref.ARN, "account": ref.Account, "region": ref.Region, "name": ref.Name}
	for _, f := range m.facts {
		v := reflect.New(f.value)
		fill(v.Elem(), r, 0)
		data, err := json.Marshal(v.Interface())
		if err != nil || json.Unmarshal(data, reflect.New(f.value).Interface()) != nil {
			// A type that takes only values of its own making: the empty one will do.
			if data, err = json.Marshal(reflect.New(f.value).Interface()); err != nil {
				return nil, fmt.Errorf("make %s: %w", m.kind.Name, err)
			}
		}
		all[f.name] = map[string]json.RawMessage{"value": data}
	}
	data, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", m.kind.Name, err)
	}
	return m.kind.Decode(data)
}

// long ago, so that no age of anything comes to a limit between two audits.
func longAgo() time.Time { return time.Date(2022, 3, 4, 5, 6, 7, 0, time.UTC) }

// document is what texts are that rules read as policies, or as nothing.
const document = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/reader"},"Action":["service:Get*","service:List*"],"Resource":"*"}]}`

// sound is how many of a hundred switches are on: of most of them that is right.
const sound = 85

func fill(v reflect.Value, r *rand.Rand, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(longAgo()))
		return
	}
	if value, ok := valueOf(v.Type()); ok { // a fact within a fact
		inner := reflect.New(value)
		fill(inner.Elem(), r, depth+1)
		if data, err := json.Marshal(inner.Interface()); err == nil {
			// What does not take it stays a fact that nobody read.
			_ = json.Unmarshal(fmt.Appendf(nil, `{"value":%s}`, data), v.Addr().Interface())
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(100) < sound)
	case reflect.String:
		v.SetString([]string{document, "", "enabled", fmt.Sprintf("value-%d", r.IntN(1000))}[r.IntN(4)])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.IntN(100)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(r.IntN(100)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), r, depth+1)
	case reflect.Slice:
		if depth < 4 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
			for i := range v.Len() {
				fill(v.Index(i), r, depth+1)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), r, depth+1)
			}
		}
	case reflect.Map:
		fillMap(v, r, depth)
	default: // nothing else is in a resource
	}
}

func fillMap(v reflect.Value, r *rand.Rand, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range r.IntN(3) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, r, depth+1)
		fill(value, r, depth+1)
		v.SetMapIndex(key, value)
	}
}
