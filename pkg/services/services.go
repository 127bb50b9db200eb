// Package services lists the services that CloudArq audits.
package services

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// longest are the services that take longest to collect.
var longest = []string{"ec2", "iam", "s3"}

// All is every service, the ones that take longest to collect first, the others by
// name.
func All() []check.Service {
	all := registered()
	rank := func(s check.Service) int {
		if i := slices.Index(longest, s.Name); i >= 0 {
			return i
		}
		return len(longest)
	}
	slices.SortStableFunc(all, func(a, b check.Service) int { return rank(a) - rank(b) })
	return all
}

// Catalog is all checks of all services.
func Catalog() (*check.Catalog, error) { return check.NewCatalog(All()...) }
