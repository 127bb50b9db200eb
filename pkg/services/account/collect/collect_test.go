package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/account"
	"github.com/cloudarq/cloudarq/pkg/services/account/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), account.Service())
}

func TestNothingPersonalIsKept(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"kept", "shared"} {
		data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), collecttest.Scenario(t, scenario)).Resources)
		if err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{"Sarkar", "Xiulan", "55501", "example.com", "Any Street", "Seattle"} {
			if strings.Contains(string(data), personal) {
				t.Errorf("the snapshot holds %q: %s", personal, data)
			}
		}
	}
}
