package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
	"github.com/cloudarq/cloudarq/pkg/services/ecs/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), ecs.Service())
}
