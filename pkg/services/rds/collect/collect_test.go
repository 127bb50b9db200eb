package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
	"github.com/cloudarq/cloudarq/pkg/services/rds/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), rds.Service())
}

// A parameter group and the list of versions are read once for all databases.
func TestSharedAnswersAreReadOnce(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "kept")
	collecttest.Walk(t, collect.Spec(), cloud)
	if calls := cloud.Calls("RDS.DescribeDBParameters"); calls != 2 {
		t.Errorf("%d calls of DescribeDBParameters, want 2 for the pages of one group", calls)
	}
	if calls := cloud.Calls("RDS.DescribeDBMajorEngineVersions"); calls != 4 {
		t.Errorf("%d calls of DescribeDBMajorEngineVersions, want 2 pages for instances and 2 for clusters", calls)
	}
}
