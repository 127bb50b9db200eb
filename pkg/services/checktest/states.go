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

// told is what a method of a resource tells; empty where it meets a gap.
func told(ask func(*check.Evidence) string) (word string) {
	defer func() { _ = recover() }() // a gap
	return ask(&check.Evidence{})
}

// stateOf is the state of a resource; empty where it cannot be told.
func stateOf(s check.Stateful) string { return told(s.State) }

// inState is a resource in another state, if its state is known.
func inState(r check.Resource, state string) (check.Resource, bool) {
	return telling(r, state, func(r check.Resource) string { return stateOf(r.(check.Stateful)) })
}

// telling is a resource of which a method tells a word: the string in one of its
// facts that the method reads is set to it.
func telling(r check.Resource, word string, tells func(check.Resource) string) (check.Resource, bool) {
	if tells(r) == word {
		return r, false
	}
	for _, f := range check.Facts(r) {
		if f.Value.Gap() != nil {
			continue
		}
		content := reflect.ValueOf(f.Value.Content())
		for _, path := range stringsOf(content.Type(), nil) {
			changed := reflect.New(content.Type()).Elem()
			changed.Set(content)
			changed.FieldByIndex(path).SetString(word)
			if in := with(r, f.Index, reflect.ValueOf(f.Value.With(changed.Interface()))); tells(in) == word {
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

// testManaged wants no verdict on what a service holds, but of rules that say so.
func testManaged(t *testing.T, rule check.Rule, c Case) {
	t.Helper()
	m, ok := c.Resource.(check.Managed)
	if !ok || told(m.Manager) != "" || c.Want == check.NotAssessed {
		return
	}
	held, ok := telling(c.Resource, "example.amazonaws.com", func(r check.Resource) string { return told(r.(check.Managed).Manager) })
	if !ok {
		t.Fatalf("no fact of %s tells who holds it", c.Resource.Kind())
	}
	want := check.NotApplicable
	if rule.IsForManaged() {
		want = c.Want
	}
	if v, _ := judge(rule, held, c.Others, ""); v.Status != want {
		t.Errorf("held by a service: %s (%s), want %s", v.Status, v.Reason, want)
	}
}

// testUnused wants no verdict on what AWS makes by default and nothing uses, but of who
// asks for it.
func testUnused(t *testing.T, rule check.Rule, c Case) {
	t.Helper()
	d, ok := c.Resource.(check.Default)
	if !ok || c.Want == check.NotAssessed || c.Want == check.NotApplicable || toldYes(d.Unused) {
		return
	}
	for _, f := range check.Facts(c.Resource) {
		if _, is := f.Value.Content().(bool); !is {
			continue
		}
		idle := with(c.Resource, f.Index, reflect.ValueOf(f.Value.With(true)))
		if !toldYes(idle.(check.Default).Unused) {
			continue
		}
		if v, _ := judge(rule, idle, c.Others, ""); v.Status != check.NotApplicable {
			t.Errorf("made by default and unused: %s (%s)", v.Status, v.Reason)
		}
		world := worldOf(rule, idle, c.Others)
		if v := check.NewJudge(Now, world).WithUnused(true).Judge(rule, idle); v.Status != c.Want {
			t.Errorf("made by default and unused, and asked for: %s (%s), want %s", v.Status, v.Reason, c.Want)
		}
		return
	}
	t.Fatalf("no fact of %s tells that it is unused", c.Resource.Kind())
}

func toldYes(ask func(*check.Evidence) bool) (yes bool) {
	defer func() { _ = recover() }() // a gap
	return ask(&check.Evidence{})
}

func states(life check.Lifecycle) map[string]check.Status {
	all := map[string]check.Status{"": check.NotAssessed, "a state that nobody knows": check.NotAssessed}
	for _, state := range life.Passed {
		all[state] = check.NotApplicable
	}
	return all
}
