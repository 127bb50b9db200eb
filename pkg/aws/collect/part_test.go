package collect_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
)

// Digests go from one task to the next as JSON. What is no digest must not be taken for
// one: it would name something else as read.
func TestDigest(t *testing.T) {
	t.Parallel()
	want := []collect.Digest{{}, {0: 1, 15: 255}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []collect.Digest
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", data, d)
	}
	for _, damaged := range []string{`[""]`, `["00"]`, `["zz0000000000000000000000000000ff"]`, `["010000000000000000000000000000ff00"]`, `[1]`} {
		if err := json.Unmarshal([]byte(damaged), &got); err == nil {
			t.Errorf("%s is taken for digests", damaged)
		}
	}
}
