package collecttest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// faults are what AWS may refuse while an account is collected.
type faults struct {
	spec       collect.Spec
	found      *Found   // without a fault
	operations []string // that were called
	fresh      func(meddle func(operation string, call int) error) aws.Config
	taken      map[string][]string // what was lost with each operation
}

func (f faults) walk(t *testing.T, meddle func(operation string, call int) error) *Found {
	t.Helper()
	return walk(t.Context(), f.fresh(meddle), f.spec)
}

// only meddles with one operation.
func only(operation string, err error) func(string, int) error {
	return func(seen string, _ int) error {
		if seen == operation {
			return err
		}
		return nil
	}
}

// each has every operation denied and throttled in turn.
func (f faults) each(t *testing.T) {
	t.Helper()
	for _, operation := range f.operations {
		service, name, _ := strings.Cut(operation, ".")
		t.Run("denied "+operation, func(t *testing.T) {
			got := f.walk(t, only(operation, fake.Error("AccessDenied")))
			leavesGap(t, got, fact.Denied, policy.Action(service, name))
			onlyGapsDiffer(t, f.found, got)
			f.taken[operation] = append(f.taken[operation], lost(f.found, got)...)
		})
		t.Run("throttled for ever "+operation, func(t *testing.T) {
			got := f.walk(t, only(operation, fake.Error("ThrottlingException")))
			leavesGap(t, got, fact.Throttled, "")
			onlyGapsDiffer(t, f.found, got)
		})
		for _, code := range collect.Absent(service, name) {
			t.Run(code+" "+operation, func(t *testing.T) {
				isGone(t, f.found, f.walk(t, only(operation, fake.Error(code))), code)
			})
		}
		t.Run("throttled then fine "+operation, func(t *testing.T) {
			var once sync.Once
			got := f.walk(t, func(seen string, _ int) (err error) {
				if seen == operation {
					once.Do(func() { err = fake.Error("ThrottlingException") })
				}
				return err
			})
			if diff := cmp.Diff(render(t, f.found.Resources), render(t, got.Resources)); diff != "" {
				t.Errorf("one throttled call changed the result:\n%s", diff)
			}
		})
	}
}

// all has every call refused.
func (f faults) all(t *testing.T) {
	t.Helper()
	t.Run("unsupported region", func(t *testing.T) {
		got := f.walk(t, func(string, int) error { return fake.Error("UnknownOperationException") })
		leavesGap(t, got, fact.Unsupported, "")
		nothingKnown(t, got)
	})
	t.Run("all denied", func(t *testing.T) {
		nothingKnown(t, f.walk(t, func(string, int) error { return fake.Error("AccessDenied") }))
	})
}

// isGone wants what was deleted between two calls to be neither listed nor a gap.
func isGone(t *testing.T, before, after *Found, code string) {
	t.Helper()
	for kind, gap := range after.Gaps {
		if gap != nil && before.Gaps[kind] == nil {
			t.Errorf("the listing of %s has a gap: %s", kind, gap.Detail)
		}
	}
	if len(after.Resources) >= len(before.Resources) {
		t.Errorf("%d resources, with none gone there were %d", len(after.Resources), len(before.Resources))
	}
	for _, r := range after.Resources {
		for _, field := range check.Facts(r) {
			if gap := field.Value.Gap(); gap != nil && strings.HasPrefix(gap.Detail, code+":") {
				t.Errorf("%s has a gap: %s", field.Name, gap.Detail)
			}
		}
	}
}

// leavesGap wants a gap of the reason somewhere: of a listing or of a fact.
func leavesGap(t *testing.T, f *Found, reason fact.Reason, action string) {
	t.Helper()
	var seen []string
	note := func(where string, gap *fact.Gap) bool {
		if gap == nil {
			return false
		}
		seen = append(seen, fmt.Sprintf("%s: %s (%s)", where, gap, gap.Detail))
		return gap.Reason == reason && gap.Action == action
	}
	for kind, gap := range f.Gaps {
		if note(kind, gap) {
			return
		}
	}
	for _, r := range f.Resources {
		for _, field := range check.Facts(r) {
			if note(r.Kind()+"."+field.Name, field.Value.Gap()) {
				return
			}
		}
	}
	t.Errorf("no gap of reason %q with action %q; gaps: %v", reason, action, seen)
}

// onlyGapsDiffer wants every fact that is still known to be what it was.
func onlyGapsDiffer(t *testing.T, before, after *Found) {
	t.Helper()
	was := map[string]map[string]fact.Any{}
	for _, r := range before.Resources {
		facts := map[string]fact.Any{}
		for _, f := range check.Facts(r) {
			facts[f.Name] = f.Value
		}
		was[r.Kind()+" "+r.Reference().String()] = facts
	}
	for _, r := range after.Resources {
		facts, existed := was[r.Kind()+" "+r.Reference().String()]
		if !existed {
			t.Errorf("a failed call made a resource appear: %s", r.Reference())
			continue
		}
		for _, f := range check.Facts(r) {
			// A fact that was not asked for before may be asked for now: whether it
			// is worth asking may depend on the call that failed.
			if f.Value.Gap() == nil && facts[f.Name].Gap() == nil && !reflect.DeepEqual(f.Value.Content(), facts[f.Name].Content()) {
				t.Errorf("a failed call changed %s of %s to %v", f.Name, r.Reference(), f.Value.Content())
			}
		}
	}
	for _, r := range before.Resources {
		missing := !slices.ContainsFunc(after.Resources, func(o check.Resource) bool {
			return o.Kind() == r.Kind() && o.Reference().String() == r.Reference().String()
		})
		if missing && after.Gaps[r.Kind()] == nil {
			t.Errorf("%s vanished though its listing is called complete", r.Reference())
		}
	}
}

func nothingKnown(t *testing.T, f *Found) {
	t.Helper()
	for _, r := range f.Resources {
		for _, field := range check.Facts(r) {
			// Whom the owner trusts no call tells.
			if field.Value.Gap() == nil && !reflect.DeepEqual(field.Value.Content(), []string{Trusted}) {
				t.Errorf("%s of %s is known to be %v though every call failed", field.Name, r.Reference(), field.Value.Content())
			}
		}
	}
	for kind, gap := range f.Gaps {
		none := !slices.ContainsFunc(f.Resources, func(r check.Resource) bool { return r.Kind() == kind })
		if gap == nil && none {
			t.Errorf("listing of %s is called complete and empty though every call failed", kind)
		}
	}
}
