package synthetic

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

type table map[reflect.Type]*operation

// operation is how one operation is answered.
type operation struct {
	out   reflect.Type
	exact func(a *Account, region string, in any) any // nil, or a nil answer: as follows from the types

	// Of a listing.
	kind                string
	page                int
	holder              []int // the field of the answer in which the page is, if it is not the answer itself
	items               []int
	ids                 []identity
	tokenIn             []int
	tokenOut, truncated []int

	// Of a description.
	named  []int // the fields of the input that name what is asked for
	echoes []echo
}

// echo is a field of the input that the answer repeats, by itself or in a part of it.
type echo struct{ from, holder, to int }

// identity is what names an item: a field, and how it reads.
type identity struct {
	field []int
	parts []string // between them stands the item's number
}

func (id identity) of(account, region string, i int) string {
	number := fmt.Sprintf("%08d", i)
	var b strings.Builder
	for at, part := range id.parts {
		if at > 0 {
			b.WriteString(number)
		}
		for _, r := range part {
			switch r {
			case '@':
				b.WriteString(region)
			case '~':
				b.WriteString(account)
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// Tokens and flags of pages, as AWS's services name them. Where an answer has both of
// the later ones, "Marker" repeats what was asked.
var (
	tokensIn  = []string{"NextToken", "Marker", "Position", "ExclusiveStartTableName", "ContinuationToken", "PaginationToken"}
	tokensOut = []string{"NextToken", "NextMarker", "Position", "LastEvaluatedTableName", "ContinuationToken", "PaginationToken", "Marker"}
	flags     = []string{"IsTruncated", "Truncated"}
)

func first(t reflect.Type, names []string) []int {
	for _, name := range names {
		if f, ok := t.FieldByName(name); ok {
			return f.Index
		}
	}
	return nil
}

// list adds a listing. items names the field with the items, or the one that holds
// page and token, where the answer has several of its kind.
func list[In, Out any](t table, kind string, page int, items, ids string) {
	op := &operation{out: reflect.TypeFor[Out](), kind: kind, page: page, tokenIn: first(reflect.TypeFor[In](), tokensIn)}
	holder := op.out
	if f, ok := holder.FieldByName(items); ok && f.Type.Kind() == reflect.Pointer {
		op.holder, holder, items = f.Index, f.Type.Elem(), ""
	}
	op.tokenOut, op.truncated = first(holder, tokensOut), first(holder, flags)
	for i := range holder.NumField() {
		if f := holder.Field(i); f.Type.Kind() == reflect.Slice && (items == "" || items == f.Name) && op.items == nil {
			op.items = f.Index
		}
	}
	if op.items == nil {
		panic(fmt.Sprintf("%s has no items", op.out))
	}
	item := holder.FieldByIndex(op.items).Type.Elem()
	for id := range strings.SplitSeq(ids, ",") {
		name, form, _ := strings.Cut(id, "=")
		made := identity{parts: strings.Split(form, "#")}
		if name != "" {
			f, ok := item.FieldByName(name)
			if !ok {
				panic(fmt.Sprintf("%s has no field %s", item, name))
			}
			made.field = f.Index
		}
		op.ids = append(op.ids, made)
	}
	t[reflect.TypeFor[*In]()] = op
}

// get adds an operation whose answer follows from its type.
func get[In, Out any](t table) {
	op := &operation{out: reflect.TypeFor[Out]()}
	in := reflect.TypeFor[In]()
	for i := range in.NumField() {
		f := in.Field(i)
		if f.Type != reflect.TypeFor[*string]() || slices.Contains(tokensIn, f.Name) {
			continue
		}
		op.named = append(op.named, i)
		for j := range op.out.NumField() {
			switch part := op.out.Field(j); {
			case part.Name == f.Name && part.Type == f.Type:
				op.echoes = append(op.echoes, echo{i, -1, j})
			case part.Type.Kind() == reflect.Pointer && part.Type.Elem().Kind() == reflect.Struct:
				if inner, ok := part.Type.Elem().FieldByName(f.Name); ok && inner.Type == f.Type {
					op.echoes = append(op.echoes, echo{i, j, inner.Index[0]})
				}
			}
		}
	}
	t[reflect.TypeFor[*In]()] = op
}

// exact adds an operation whose answer is written by hand, or has one that is known
// already answered by hand where the answer is not nil.
func exact[In, Out any](t table, respond func(a *Account, region string, in *In) *Out) {
	op := t[reflect.TypeFor[*In]()]
	if op == nil {
		op = &operation{out: reflect.TypeFor[Out]()}
		t[reflect.TypeFor[*In]()] = op
	}
	op.exact = func(a *Account, region string, in any) any {
		if out := respond(a, region, in.(*In)); out != nil {
			return out
		}
		return nil
	}
}
