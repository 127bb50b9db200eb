// Package collectors lists how the services are collected. It links the AWS SDK,
// which the services themselves do not.
package collectors

import "github.com/cloudarq/cloudarq/pkg/aws/collect"

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
