package fact_test

import (
	"encoding/json"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

func TestGet(t *testing.T) {
	t.Parallel()
	if v, gap := fact.Known(0).Get(); v != 0 || gap != nil {
		t.Errorf("known zero: %v, %v; want 0 without a gap", v, gap)
	}
	if _, gap := fact.Missing[int](fact.Denied, "kms:ListKeys").Get(); gap == nil || gap.Action != "kms:ListKeys" {
		t.Errorf("missing: gap %v, want the action", gap)
	}
	var zero fact.Of[bool]
	if _, gap := zero.Get(); gap == nil || gap.Reason != fact.NotCollected {
		t.Errorf("zero fact: gap %v, want not_collected", gap)
	}
}

func TestMapKeepsGaps(t *testing.T) {
	t.Parallel()
	double := func(n int) int { return 2 * n }
	if v, _ := fact.Map(fact.Known(2), double).Get(); v != 4 {
		t.Errorf("mapped value %d, want 4", v)
	}
	if _, gap := fact.Map(fact.Missing[int](fact.Throttled, "x:Y"), double).Get(); gap == nil || gap.Reason != fact.Throttled {
		t.Errorf("mapped gap %v, want throttled", gap)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	a, b := fact.Known(true), fact.Known(true)
	if a.Identity() == b.Identity() {
		t.Error("two answers share an identity")
	}
	if c := a; c.Identity() != a.Identity() {
		t.Error("a copy has another identity")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fact fact.Of[[]string]
		wire string
	}{
		"value": {fact.Known([]string{"a"}), `{"value":["a"]}`},
		"none":  {fact.Known[[]string](nil), `{"value":null}`},
		"gap":   {fact.Missing[[]string](fact.Denied, "a:B"), `{"gap":{"reason":"denied","operation":"a:B","action":"a:B"}}`},
		"zero":  {fact.Of[[]string]{}, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.fact)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.wire {
				t.Fatalf("wrote %s, want %s", got, c.wire)
			}
			var back fact.Of[[]string]
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(back)
			if err != nil {
				t.Fatal(err)
			}
			if string(again) != c.wire {
				t.Errorf("read back %s, want %s", again, c.wire)
			}
		})
	}
	for _, damaged := range []string{`{}`, `{"value":1,"gap":{"reason":"denied"}}`, `{"value":"x"}`, `[]`} {
		var f fact.Of[int]
		if err := json.Unmarshal([]byte(damaged), &f); err == nil {
			t.Errorf("%s was accepted as a fact", damaged)
		}
	}
}
