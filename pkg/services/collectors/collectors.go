// Package collectors lists how the services are collected. It links the AWS SDK,
// which the services themselves do not.
package collectors

import (
	"github.com/cloudarq/cloudarq/pkg/collect"
	account "github.com/cloudarq/cloudarq/pkg/services/account/collect"
	ec2 "github.com/cloudarq/cloudarq/pkg/services/ec2/collect"
	iam "github.com/cloudarq/cloudarq/pkg/services/iam/collect"
	kms "github.com/cloudarq/cloudarq/pkg/services/kms/collect"
	s3 "github.com/cloudarq/cloudarq/pkg/services/s3/collect"
)

// All is the collector of every service.
func All() []collect.Spec {
	return []collect.Spec{
		ec2.Spec(),
		iam.Spec(),
		s3.Spec(),
		kms.Spec(),
		account.Spec(),
	}
}

// ByService is All by the service's name.
func ByService() map[string]collect.Spec {
	specs := map[string]collect.Spec{}
	for _, s := range All() {
		specs[s.Service] = s
	}
	return specs
}

// CustomEndpoint adjusts the clients that need it when AWS is emulated.
func CustomEndpoint(sdkID string, options any) {
	for _, s := range All() {
		if s.CustomEndpoint != nil {
			s.CustomEndpoint(sdkID, options)
		}
	}
}
