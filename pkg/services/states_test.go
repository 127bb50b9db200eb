package services_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// Each check that is named as the cause of another exists.
func TestCausesExist(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range catalog.Checks() {
		for _, id := range c.Causes {
			if _, exists := catalog.Check(id); !exists {
				t.Errorf("%s names %s as its cause, which does not exist", c.ID, id)
			}
		}
	}
}

// A resource type without a state says why it has none: all others are check.Stateful, so
// that no rule over them can forget to ask.
func TestEveryTypeWithAStateAsksIt(t *testing.T) {
	t.Parallel()
	for _, s := range services.All() {
		for _, kind := range s.Kinds {
			state, ok := kind.Zero.(check.Stateful)
			switch {
			case ok == (kind.NoState != ""):
				t.Errorf("%s: either it is check.Stateful, or its Kind says by Stateless why not", kind.Name)
			case ok && (state.Lifecycle().Noun == "" || len(state.Lifecycle().Judged) == 0):
				t.Errorf("the lifecycle of %s has no noun, or no state that is judged", kind.Name)
			}
		}
	}
}
