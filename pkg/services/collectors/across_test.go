package collectors_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/across"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// The rules over several services have no collector of their own.
func TestAcross(t *testing.T) {
	t.Parallel()
	collecttest.Across(t, across.Service(), collectors.All()...)
}
