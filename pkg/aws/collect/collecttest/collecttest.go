// Package collecttest tests a service's collector from one description of a
// full account: the answers of AWS and the resources they must become. From it
// follow the tests that every collector needs and nobody likes to write: each
// operation denied, throttled, unsupported, empty; every field set; operations
// seen equal to operations declared.
package collecttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Account and Region are those of the full account; Trusted is another, that whoever
// asks trusts.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
	Trusted = "444455556666"
)

// Caller is whom the account was opened as: the role that was made for it.
func Caller() model.Identity {
	return model.Identity{Account: Account, Partition: "aws", CallerARN: "arn:aws:sts::" + Account + ":assumed-role/CloudArqAuditRole/cloudarq-test", Entrusted: true}
}

// Found is what walks emitted.
type Found struct {
	mu        sync.Mutex
	Resources []check.Resource
	Gaps      map[string]*fact.Gap // by kind; a nil gap is a complete listing
}

// Resource implements collect.Sink.
func (f *Found) Resource(r check.Resource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Resources = append(f.Resources, r)
}

// Listed implements collect.Sink.
func (f *Found) Listed(kind, _ string, gap *fact.Gap, _ bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, twice := f.Gaps[kind]; twice {
		panic("listing of " + kind + " ended twice")
	}
	f.Gaps[kind] = gap
}

// Walk makes all walks of a service over a fake.
func Walk(t testing.TB, spec collect.Spec, cloud *fake.Fake) *Found {
	t.Helper()
	region := Region
	if spec.Global {
		region = model.Global
	}
	found := &Found{Gaps: map[string]*fact.Gap{}}
	session := collect.NewSession(cloud.Config(t), Account, "aws", region, found)
	session.Caller, session.Trusted = Caller(), []string{Trusted}
	for _, walk := range spec.Walks {
		session.Run(t.Context(), walk)
	}
	slices.SortFunc(found.Resources, func(a, b check.Resource) int {
		return strings.Compare(a.Kind()+a.Reference().String(), b.Kind()+b.Reference().String())
	})
	return found
}

// Run tests a collector. full registers the answers of an account in which
// every field of every resource type is set by some resource and every listing
// has two pages; want are the resources that it becomes, in any order.
func Run(t *testing.T, spec collect.Spec, full func(*fake.Fake), want []check.Resource) {
	t.Helper()
	fresh := func(meddle func(operation string, call int) error) *fake.Fake {
		cloud := fake.New()
		full(cloud)
		cloud.Meddle = meddle
		return cloud
	}
	whole := fresh(nil)
	found := Walk(t, spec, whole)

	t.Run("full account", func(t *testing.T) {
		for kind, gap := range found.Gaps {
			if gap != nil {
				t.Errorf("listing of %s has a gap: %+v", kind, *gap)
			}
		}
		if diff := cmp.Diff(render(t, want), render(t, found.Resources)); diff != "" {
			t.Errorf("resources (-want +got):\n%s", diff)
		}
	})
	t.Run("every field is set", func(t *testing.T) { everyFieldSet(t, spec, found.Resources) })
	t.Run("operations seen are operations declared", func(t *testing.T) {
		if diff := cmp.Diff(declared(spec), whole.Operations()); diff != "" {
			t.Errorf("operations (-declared +seen):\n%s", diff)
		}
	})
	taken := map[string][]string{}
	for _, operation := range whole.Operations() {
		fault := func(err error) func(string, int) error {
			return func(seen string, _ int) error {
				if seen == operation {
					return err
				}
				return nil
			}
		}
		t.Run("denied "+operation, func(t *testing.T) {
			got := Walk(t, spec, fresh(fault(fake.Error("AccessDenied"))))
			service, name, _ := strings.Cut(operation, ".")
			leavesGap(t, got, fact.Denied, policy.Action(service, name))
			onlyGapsDiffer(t, found, got)
			taken[operation] = lost(found, got)
		})
		t.Run("throttled for ever "+operation, func(t *testing.T) {
			got := Walk(t, spec, fresh(fault(fake.Error("ThrottlingException"))))
			leavesGap(t, got, fact.Throttled, "")
			onlyGapsDiffer(t, found, got)
		})
		t.Run("throttled then fine "+operation, func(t *testing.T) {
			var once sync.Once
			got := Walk(t, spec, fresh(func(seen string, _ int) (err error) {
				if seen == operation {
					once.Do(func() { err = fake.Error("ThrottlingException") })
				}
				return err
			}))
			if diff := cmp.Diff(render(t, found.Resources), render(t, got.Resources)); diff != "" {
				t.Errorf("one throttled call changed the result:\n%s", diff)
			}
		})
		t.Run("empty answer "+operation, func(t *testing.T) {
			Walk(t, spec, fresh(fault(fake.ErrEmpty))) // ends, whatever it makes of it
		})
	}
	t.Run("what each operation is for is recorded", func(t *testing.T) { recorded(t, spec, taken) })
	t.Run("unsupported region", func(t *testing.T) {
		got := Walk(t, spec, fresh(func(string, int) error { return fake.Error("UnknownOperationException") }))
		leavesGap(t, got, fact.Unsupported, "")
		nothingKnown(t, got)
	})
	t.Run("all denied", func(t *testing.T) {
		nothingKnown(t, Walk(t, spec, fresh(func(string, int) error { return fake.Error("AccessDenied") })))
	})
	t.Run("empty account", func(t *testing.T) {
		got := Walk(t, spec, fresh(func(string, int) error { return fake.ErrEmpty }))
		for _, walk := range spec.Walks {
			for _, kind := range walk.Kinds {
				if _, ended := got.Gaps[kind]; !ended {
					t.Errorf("listing of %s never ended", kind)
				}
			}
		}
	})
}

func declared(spec collect.Spec) []string {
	var all []string
	for _, w := range spec.Walks {
		all = append(all, w.Operations...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func render(t *testing.T, resources []check.Resource) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, r := range resources {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("marshal %s: %v", r.Reference(), err)
		}
		var fields any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		id := r.Kind() + " " + r.Reference().String()
		if all[id] != nil {
			t.Errorf("%s was emitted twice", id)
		}
		all[id] = fields
	}
	return all
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
