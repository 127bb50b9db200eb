package collectors_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// TestOperationsOfSeveralServices: services are collected by processes of their own, each
// of which paces its calls as if it were alone with the quotas of its operations
// (client.Limiter). What two services call has to be a few calls in each, as these are:
// listings of the whole account, and one question.
func TestOperationsOfSeveralServices(t *testing.T) {
	t.Parallel()
	services := map[string][]string{}
	for name, spec := range collectors.ByService() {
		for _, walk := range spec.Walks {
			for _, operation := range walk.Operations {
				if !slices.Contains(services[operation], name) {
					services[operation] = append(services[operation], name)
				}
			}
		}
	}
	var shared []string
	for operation, by := range services {
		if len(by) > 1 {
			shared = append(shared, operation)
		}
	}
	slices.Sort(shared)
	want := []string{"IAM.GetAccountAuthorizationDetails", "Organizations.DescribeOrganization", "S3.ListBuckets"}
	if diff := cmp.Diff(want, shared); diff != "" {
		t.Errorf("several services call (-few times +also):\n%s", diff)
	}
}
