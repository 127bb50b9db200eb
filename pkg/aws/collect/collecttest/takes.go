package collecttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/policy/grant/granttest"
)

// lost are the facts and listings that were known before, and are not after.
func lost(before, after *Found) []string {
	known := map[string]bool{}
	for _, r := range before.Resources {
		for _, f := range check.Facts(r) {
			if f.Value.Gap() == nil {
				known[r.Kind()+" "+r.Reference().String()+" "+f.Name] = true
			}
		}
	}
	var all []string
	for kind, gap := range after.Gaps {
		if gap != nil && before.Gaps[kind] == nil {
			all = append(all, kind)
		}
	}
	for _, r := range after.Resources {
		for _, f := range check.Facts(r) {
			if f.Value.Gap() != nil && known[r.Kind()+" "+r.Reference().String()+" "+f.Name] {
				all = append(all, r.Kind()+"."+f.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// recorded holds what each operation's denial takes from the service to the
// table from which policies are compared.
func recorded(t *testing.T, spec collect.Spec, taken map[string][]string) {
	t.Helper()
	own := func(name string) bool {
		kind, _, _ := strings.Cut(name, ".")
		return slices.ContainsFunc(spec.Walks, func(w collect.Walk) bool { return slices.Contains(w.Kinds, kind) })
	}
	for operation, facts := range taken {
		slices.Sort(facts)
		taken[operation] = slices.Compact(facts)
	}
	granttest.Recorded(t, "takes", spec.Service, grant.Takes(), taken, own)
}
