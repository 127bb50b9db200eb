package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/eventbridge"
	"github.com/cloudarq/cloudarq/pkg/services/eventbridge/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), eventbridge.Service())
}
