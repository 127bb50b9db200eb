// Package services lists the services that CloudArq audits.
package services

import (
	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
)

// All is every service, the ones that take longest to collect first.
func All() []check.Service {
	return []check.Service{
		kms.Service(),
	}
}

// Catalog is all checks of all services.
func Catalog() (*check.Catalog, error) { return check.NewCatalog(All()...) }
