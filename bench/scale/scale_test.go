package main

import (
	"context"
	"testing"
)

// TestScale is a small twin of the bench, in one process: an account of 10,000
// resources is audited, audited again with a tenth of it changed, and deleted. What a
// process may take of memory the bench says.
func TestScale(t *testing.T) {
	t.Parallel()
	const total = 10_000
	s := step{Dir: t.TempDir(), Resources: total}
	here := func(ctx context.Context, s step) (measured, error) { return s.run(ctx) }
	first, err := audit(t.Context(), here, s)
	if err != nil {
		t.Fatal(err)
	}
	small, err := audit(t.Context(), here, step{Dir: t.TempDir(), Resources: total / 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range growth([]audited{small, first}) {
		t.Error(problem)
	}
	s.Rounds = []uint64{100}
	second, err := audit(t.Context(), here, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []audited{first, second} {
		a.print(string(a.audit.ID), nil)
		a.check.Memory, a.ingest.Memory = 0, 0
		for _, problem := range a.holds(total) {
			t.Error(problem)
		}
		if sum := a.audit.Summary; sum.Score.Coverage < 1 || len(sum.Gaps) > 0 {
			t.Errorf("coverage %.3f, gaps %+v", sum.Score.Coverage, sum.Gaps)
		}
	}
	for _, problem := range first.changes(second) {
		t.Error(problem)
	}
	s.Name = stepDelete
	m, err := here(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	m.Memory = 0
	for _, problem := range m.deleted(first.audit.Summary.Counts.Fail) {
		t.Error(problem)
	}
}
