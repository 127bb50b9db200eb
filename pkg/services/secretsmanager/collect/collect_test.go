package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), secretsmanager.Service())
}
