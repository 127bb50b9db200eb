package check_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestVerdictsAreBounded: whatever a rule says, and whatever an account's owner
// names things, a verdict can be kept and shown.
func TestVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 10_000)
	say := func(v func() check.Verdict) check.Verdict {
		got, _ := judge(nil, check.For("lamp-lit", model.Low, func(*check.Evidence, lamp) check.Verdict { return v() }), newLamp("a", fact.Known(true)))
		return got
	}
	for name, v := range map[string]check.Verdict{
		"a long reason": say(func() check.Verdict { return check.Failed(long) }),
		"a long detail": say(func() check.Verdict {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Detail: long, Operation: long})
		}),
		"a rule stopped":  say(func() check.Verdict { check.Stop(fact.Gap{Reason: fact.Failed, Detail: long}); panic("not reached") }),
		"a rule at fault": say(func() check.Verdict { panic(long) }),
		"a listing's gap": check.Unassessed(fact.Gap{Reason: fact.Denied, Action: long, Detail: long}),
		"a bad name":      say(func() check.Verdict { return check.Failed("bucket \u202eevil\x1b[2J\xff is open") }),
		"many gaps": say(func() check.Verdict {
			var gaps []fact.Gap
			for i := range 5000 {
				gaps = append(gaps, fact.Gap{Reason: fact.Failed, Operation: "house:GetLamp", Detail: fmt.Sprint("lamp ", i/2)})
			}
			return check.Unassessed(gaps...)
		}),
	} {
		texts := []string{v.Reason}
		for _, g := range v.Gaps {
			texts = append(texts, g.Operation, g.Action, g.Region, g.Detail)
		}
		if len(v.Gaps) > check.MaxGaps {
			t.Errorf("%s: %d gaps", name, len(v.Gaps))
		}
		for _, text := range texts {
			if len(text) > max(check.MaxReason, check.MaxDetail) || !utf8.ValidString(text) || text != model.Clean(text) {
				t.Errorf("%s: %d bytes of %q", name, len(text), text)
			}
		}
		if name == "many gaps" && v.Reason != "error: house:GetLamp and 2480 more gaps" {
			t.Errorf("%s: %q", name, v.Reason)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{
		"":                   nil,
		"a":                  {"a"},
		"a, b, c":            {"a", "b", "c"},
		"a, b, c and 2 more": {"a", "b", "c", "d", "e"},
	} {
		if got := check.List(names); got != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
	if got := check.List([]string{strings.Repeat("x", 9999), "y", "z", "zz"}); len(got) > 200 || !strings.HasSuffix(got, "…, y, z and 1 more") {
		t.Errorf("a long name: %q", got)
	}
}
