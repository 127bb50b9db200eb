package main

import (
	"testing"

	"github.com/cloudarq/cloudarq/bench/rig"
)

// TestFanOut does what the bench does, with a twentieth of the connections.
func TestFanOut(t *testing.T) {
	t.Parallel()
	o := options()
	o.Connections = 100
	r, err := rig.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		did, err := run(t.Context(), r, o)
		if err != nil {
			t.Fatalf("round %d: %v", round+1, err)
		}
		t.Logf("round %d: %+v", round+1, did)
	}
}
