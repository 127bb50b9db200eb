package main

import (
	"testing"

	"github.com/cloudarq/cloudarq/bench/rig"
)

// TestFanOut does what the bench does on two mornings, with a hundredth of the
// connections.
func TestFanOut(t *testing.T) {
	t.Parallel()
	o := options()
	o.Connections, o.Over = 100, 6
	r, err := rig.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		did, err := run(t.Context(), r, o)
		if err != nil {
			t.Fatalf("round %d: %v", round+1, err)
		}
		t.Logf("round %d: %+v", round+1, did)
	}
}
