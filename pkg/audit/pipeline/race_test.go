//go:build race

package pipeline_test

import "flag"

// The detector makes histories ten times as slow, and finds races in the first of them: all
// are lived without it.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}
