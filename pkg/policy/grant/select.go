package grant

import (
	"errors"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// ErrNothing says that no check is left of a selection.
var ErrNothing = errors.New("none of the checks looks at these services alone")

// Select keeps the operations that an audit of the checks takes, connecting
// included, if only the allowed services may be called; none allow all. As in an
// audit, a check is left out if it looks at a service that is not allowed.
func Select(catalog *check.Catalog, operations []policy.Operation, checks []check.Check, allowed []string) ([]policy.Operation, error) {
	wanted := map[string]bool{}
	for _, c := range checks {
		if !catalog.Allows(allowed, c) {
			continue
		}
		for _, kind := range append([]string{c.Kind}, c.Uses...) {
			wanted[kind] = true
		}
	}
	if len(wanted) == 0 {
		return nil, ErrNothing
	}
	return slices.DeleteFunc(slices.Clone(operations), func(op policy.Operation) bool {
		return !slices.Contains(policy.Connect(), op.ID) && !slices.ContainsFunc(op.Kinds, func(k string) bool { return wanted[k] })
	}), nil
}

// Needed is the role that an audit needs whose services and checks are chosen by
// words, as in check.Catalog.Select and SelectServices, with the checks that it
// is for. No words choose all.
func Needed(catalog *check.Catalog, services, checks []string) (policy.Role, []check.Check, error) {
	chosen := catalog.Checks() // the optional ones as well: a role is made for years
	if len(checks) > 0 {
		var err error
		if chosen, err = catalog.Select(checks); err != nil {
			return policy.Role{}, nil, err
		}
	}
	var err error
	if len(services) > 0 {
		if services, err = catalog.SelectServices(services); err != nil {
			return policy.Role{}, nil, err
		}
	}
	operations := policy.Operations()
	if len(services)+len(checks) > 0 {
		if operations, err = Select(catalog, operations, chosen, services); err != nil {
			return policy.Role{}, nil, err
		}
	}
	role, err := policy.NewRole(operations)
	return role, chosen, err
}
