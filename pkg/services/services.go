// Package services lists the services that CloudArq audits.
package services

import (
	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/services/account"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// All is every service, the ones that take longest to collect first.
func All() []check.Service {
	return []check.Service{
		ec2.Service(),
		iam.Service(),
		s3.Service(),
		kms.Service(),
		account.Service(),
	}
}

// Catalog is all checks of all services.
func Catalog() (*check.Catalog, error) { return check.NewCatalog(All()...) }
