package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), cloudtrail.Service())
}

func TestOwner(t *testing.T) {
	t.Parallel()
	owners := map[string]string{}
	for _, r := range collecttest.Walk(t, collect.Spec(), collecttest.Scenario(t, "kept")).Resources {
		if trail, ok := r.(cloudtrail.Trail); ok {
			owners[trail.Name] = trail.Owner()
		}
	}
	if owners["all"] != "111122223333" || owners["organization"] != "444455556666" {
		t.Errorf("owners %v", owners)
	}
}
