package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/route53"
	"github.com/cloudarq/cloudarq/pkg/services/route53/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), route53.Service())
}

// However many zones there are, their query logs are listed once.
func TestQueryLogsAreListedOnce(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "kept")
	collecttest.Walk(t, collect.Spec(), cloud)
	if calls := cloud.Calls("Route 53.ListQueryLoggingConfigs"); calls != 2 {
		t.Errorf("%d calls of ListQueryLoggingConfigs, want one per page", calls)
	}
}
