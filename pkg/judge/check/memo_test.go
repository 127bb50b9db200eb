package check_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

type document struct {
	model.Resource
	Text fact.Of[string]
}

func (document) Kind() string { return "Test::Memo::Document" }

// TestMemo: a text that many resources share is worked out once, and what is kept of
// others has a bound.
func TestMemo(t *testing.T) {
	t.Parallel()
	worked := 0
	length := check.NewMemo(func(text string) int { worked++; return len(text) })
	rule := check.For("test-memo", model.Low, func(e *check.Evidence, d document) check.Verdict {
		return check.Must(length.Of(e, check.Read(e, d.Text)) > 3, "long", "short")
	})
	judge := check.NewJudge(time.Time{}, nil)
	for range 100 {
		for text, want := range map[string]check.Status{"long text": check.Pass, "abc": check.Fail} {
			if got := judge.Judge(rule, document{Text: fact.Known(text)}); got.Status != want {
				t.Fatalf("%q: %s", text, got.Status)
			}
		}
	}
	if worked != 2 {
		t.Errorf("worked %d times on two texts", worked)
	}
	for i := range 10_000 {
		judge.Judge(rule, document{Text: fact.Known(strconv.Itoa(i))})
	}
	if worked != 10_002 {
		t.Errorf("worked %d times on 10,002 texts", worked)
	}
}
