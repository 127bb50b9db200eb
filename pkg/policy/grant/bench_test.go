package grant_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/policy/grant"
)

// BenchmarkCompare is what every audit does with the policies that it came with.
func BenchmarkCompare(b *testing.B) {
	role, checks := needed(b, nil, nil)
	own, err := grant.Parse([]byte(role.JSON()))
	if err != nil {
		b.Fatal(err)
	}
	audit, err := grant.ManagedPolicy("security-audit")
	if err != nil {
		b.Fatal(err)
	}
	for name, p := range map[string]grant.Policy{"published": own, "security-audit": audit.Policy} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				grant.Compare(role, p, checks)
			}
		})
	}
}
