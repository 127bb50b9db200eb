package checktest

import (
	"reflect"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// settled is a table whose resources are in the first state that is judged, where a
// case says nothing of the state.
func settled(table Table) Table {
	all := Table{}
	for id, cases := range table {
		for _, c := range cases {
			c.Resource = Settled(c.Resource)
			others := make([]check.Resource, len(c.Others))
			for i, other := range c.Others {
				others[i] = Settled(other)
			}
			c.Others = others
			all[id] = append(all[id], c)
		}
	}
	return all
}

// Settled is a resource in the first state that is judged, if it tells no state.
func Settled(r check.Resource) check.Resource {
	s, ok := r.(check.Stateful)
	if !ok || stateOf(s) != "" {
		return r
	}
	if in, ok := inState(r, s.Lifecycle().Judged[0]); ok {
		return in
	}
	return r
}

// stateOf is the state of a resource; empty where it cannot be told.
func stateOf(s check.Stateful) (state string) {
	defer func() { _ = recover() }() // a gap
	return s.State(&check.Evidence{})
}

// inState is a resource in another state, if its state is known: the string in one
// of its facts that its method reads.
func inState(r check.Resource, state string) (check.Resource, bool) {
	for _, f := range check.Facts(r) {
		if f.Value.Gap() != nil {
			continue
		}
		content := reflect.ValueOf(f.Value.Content())
		for _, path := range stringsOf(content.Type(), nil) {
			changed := reflect.New(content.Type()).Elem()
			changed.Set(content)
			changed.FieldByIndex(path).SetString(state)
			in := with(r, f.Index, reflect.ValueOf(f.Value.With(changed.Interface())))
			if stateOf(in.(check.Stateful)) == state && (stateOf(r.(check.Stateful)) != state) {
				return in, true
			}
		}
	}
	return r, false
}

// stringsOf are the strings of a struct, embedded ones included.
func stringsOf(t reflect.Type, at []int) (paths [][]int) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		path := append(append([]int{}, at...), i)
		switch f := t.Field(i); {
		case f.Type.Kind() == reflect.String:
			paths = append(paths, path)
		case f.Anonymous:
			paths = append(paths, stringsOf(f.Type, path)...)
		}
	}
	return paths
}

// testStates wants a case's verdict in every state that is judged, none in those
// that are not, and NOT_ASSESSED in one that nobody knows.
func testStates(t *testing.T, rule check.Rule, c Case) {
	t.Helper()
	s, ok := c.Resource.(check.Stateful)
	if !ok || rule.AnyState() {
		return
	}
	life := s.Lifecycle()
	for state, want := range states(life) {
		if state == stateOf(s) {
			continue
		}
		in, ok := inState(c.Resource, state)
		if !ok && state == "" {
			continue // AWS says so of what is in service
		}
		if !ok {
			t.Fatalf("no fact of %s tells its state", c.Resource.Kind())
		}
		if v, _ := judge(rule, in, c.Others, ""); v.Status != want {
			t.Errorf("in state %q: %s (%s), want %s", state, v.Status, v.Reason, want)
		}
	}
}

func states(life check.Lifecycle) map[string]check.Status {
	all := map[string]check.Status{"": check.NotAssessed, "a state that nobody knows": check.NotAssessed}
	for _, state := range life.Passed {
		all[state] = check.NotApplicable
	}
	return all
}
