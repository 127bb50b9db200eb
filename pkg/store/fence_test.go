package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// watched notes the partitions that are asked for.
type watched struct {
	table.Table
	mu    sync.Mutex
	asked []string
}

func (w *watched) note(partitions ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, partitions...)
}

func (w *watched) Get(ctx context.Context, k table.Key) (table.Item, error) {
	w.note(k.PK)
	return w.Table.Get(ctx, k)
}

func (w *watched) Put(ctx context.Context, it table.Item) error {
	w.note(it.PK)
	return w.Table.Put(ctx, it)
}

func (w *watched) PutMany(ctx context.Context, its []table.Item) error {
	for _, it := range its {
		w.note(it.PK)
	}
	return w.Table.PutMany(ctx, its)
}

func (w *watched) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	w.note(k.PK)
	return w.Table.Add(ctx, k, n, expires)
}

func (w *watched) Delete(ctx context.Context, k table.Key) error {
	w.note(k.PK)
	return w.Table.Delete(ctx, k)
}

func (w *watched) DeleteMany(ctx context.Context, ks []table.Key) error {
	for _, k := range ks {
		w.note(k.PK)
	}
	return w.Table.DeleteMany(ctx, ks)
}

func (w *watched) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Index {
		w.note("index " + q.PK)
	} else {
		w.note(q.PK)
	}
	return w.Table.Query(ctx, q)
}

// TestOrganizationsAreApart calls everything that there is to call on an organization's
// records, the words of which would lead into another one if anything could: all that the
// table is asked for begins with the organization.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	orgs := []model.OrganizationID{"acme", "acme2", "acme#CONNECTION", "acme%23CONNECTION", "", "#", "O#acme"}
	of := map[model.OrganizationID][]string{}
	for _, org := range orgs {
		w := &watched{Table: tables.New(time.Now)}
		records := reflect.ValueOf(store.New(w, nil).For(org))
		for range 2 { // the second time there is something to be read
			for i := range records.NumMethod() {
				name, method := records.Type().Method(i).Name, records.Method(i)
				before := len(w.asked)
				callAll(t, name, method)
				if name != "Purge" && name != "WholeAudit" && len(w.asked) == before { // which asks as Audit does, or nothing
					t.Errorf("%s asks nothing of the table: does the test call it?", name)
				}
			}
		}
		prefix := table.Path("O", string(org)) + "#"
		for _, pk := range w.asked {
			if !strings.HasPrefix(strings.TrimPrefix(pk, "index "), prefix) {
				t.Fatalf("the records of %q ask for %q", org, pk)
			}
		}
		slices.Sort(w.asked)
		of[org] = slices.Compact(w.asked)
	}
	for _, a := range orgs {
		for _, b := range orgs {
			if a != b && slices.ContainsFunc(of[a], func(pk string) bool { _, both := slices.BinarySearch(of[b], pk); return both }) {
				t.Errorf("%q and %q ask for the same", a, b)
			}
		}
	}
}

// callAll calls a method with made up words, runs through what it yields, and goes on
// with the methods of what it gives.
func callAll(t *testing.T, name string, method reflect.Value) {
	t.Helper()
	var args []reflect.Value
	for i := range method.Type().NumIn() {
		arg := madeUp(t.Context(), method.Type().In(i), 0)
		if strings.HasSuffix(name, "Page") && arg.Type() == reflect.TypeFor[string]() && method.Type().In(i+1) == reflect.TypeFor[int]() {
			arg.SetString("") // a cursor
		}
		args = append(args, arg)
	}
	results := method.Call(args)
	for _, r := range results {
		if err, ok := r.Interface().(error); ok && !errors.Is(err, table.ErrNotFound) && !errors.Is(err, table.ErrConflict) && !errors.Is(err, store.ErrFull) && !errors.Is(err, store.ErrKeyReused) && !errors.Is(err, store.ErrLastAdministrator) {
			t.Errorf("%s: %v", name, err)
		}
		if r.Kind() == reflect.Func && !r.IsNil() { // an iterator
			more := reflect.MakeFunc(r.Type().In(0), func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(true)} })
			r.Call([]reflect.Value{more})
		}
		switch p := r.Interface().(type) {
		case *store.Purge, *store.Limits:
			more := reflect.ValueOf(p)
			for i := 0; !more.IsNil() && i < more.NumMethod(); i++ {
				callAll(t, name+"."+more.Type().Method(i).Name, more.Method(i))
			}
		}
	}
}

// anna is the id of a person.
const anna = "01KBA0Q7Z3M2X9V5T1R8N4C6DE"

// evil is a word that would lead elsewhere if it were not escaped.
const evil = "x#O#acme2#CONNECTION"

// harmless are records of which the store itself refuses evil words. Those that others
// create have a version.
var harmless = map[reflect.Type]any{
	reflect.TypeFor[model.Member]():  model.Member{Person: anna, Role: model.RoleAdmin, Version: 1},
	reflect.TypeFor[model.Project](): model.Project{Name: "shop"},
	reflect.TypeFor[model.APIToken](): model.APIToken{
		ID: anna, Name: evil, Owner: anna, Scopes: []model.Scope{model.ScopeRead}, ExpiresAt: time.Time{}.Add(time.Hour), Version: 1,
	},
	reflect.TypeFor[model.Attestation](): model.Attestation{
		ID: anna, Framework: "f", Requirement: "1", Covers: model.CoversManual, Why: evil, RequestedAt: time.Time{}, Until: time.Time{}.Add(time.Hour),
	},
	reflect.TypeFor[model.Invitation]():  model.Invitation{ID: evil, Version: 1},
	reflect.TypeFor[model.Recovery]():    model.Recovery{ID: evil, Version: 1},
	reflect.TypeFor[model.SSO]():         model.SSO{Issuer: "https://x/%23O%23acme2", ClientID: evil, Domains: []string{"acme.com"}},
	reflect.TypeFor[model.SSOIdentity](): model.SSOIdentity{Issuer: "https://x", Subject: evil, Person: anna},
}

func madeUp(ctx context.Context, of reflect.Type, depth int) reflect.Value {
	v := reflect.New(of).Elem()
	if r, ok := harmless[of]; ok {
		v.Set(reflect.ValueOf(r))
		return v
	}
	switch of.Kind() { //nolint:exhaustive // what the methods take
	case reflect.String:
		v.SetString(evil)
	case reflect.Int, reflect.Int64:
		if depth == 0 {
			v.SetInt(1)
		}
	case reflect.Pointer:
		if depth < 2 {
			v.Set(madeUp(ctx, of.Elem(), depth+1).Addr())
		}
	case reflect.Slice:
		if of == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`{}`))
		} else if depth < 2 {
			v.Set(reflect.Append(v, madeUp(ctx, of.Elem(), depth+1)))
		}
	case reflect.Func:
		v.Set(reflect.MakeFunc(of, func([]reflect.Value) []reflect.Value {
			var results []reflect.Value
			for i := range of.NumOut() {
				r := reflect.New(of.Out(i)).Elem()
				if r.Kind() == reflect.Bool {
					r.SetBool(true)
				}
				results = append(results, r)
			}
			return results
		}))
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)))
			break
		}
		for i := range of.NumField() {
			if f := of.Field(i); f.IsExported() && f.Name != "Version" {
				v.Field(i).Set(madeUp(ctx, f.Type, depth+1))
			}
		}
	case reflect.Interface:
		if of == reflect.TypeFor[any]() {
			v.Set(reflect.ValueOf(struct{}{}))
		}
		if of == reflect.TypeFor[context.Context]() {
			v.Set(reflect.ValueOf(ctx))
		}
	}
	return v
}
