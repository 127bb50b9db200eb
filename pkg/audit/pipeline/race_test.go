//go:build race

package pipeline_test

import (
	"flag"
	"testing"
)

// TestMain lives fewer histories: the detector makes each ten times as slow, and finds races
// in the first of them. All are lived without it.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	m.Run()
}
