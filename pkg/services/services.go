// Package services lists the services that CloudArq audits.
package services

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
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

//go:embed examples.tsv
var examplesTable string

// examples are what fails checks and what passes them.
var examples = sync.OnceValues(func() (map[model.CheckID]check.Examples, error) { return check.ParseExamples(examplesTable) })

// Catalog is all checks of all services, and the frameworks that they belong to.
func Catalog() (*check.Catalog, error) {
	c, err := check.NewCatalog(All()...)
	if err != nil {
		return nil, err
	}
	return c.WithFrameworks(framework.All).WithExamples(examples), nil
}
