package diff_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func seen(name, region string, v check.Verdict) evidence.Entry {
	return evidence.Entry{
		Kind: "Door", Ref: model.Ref{ARN: "arn:door/" + name, Region: region},
		Verdicts: []evidence.Verdict{{Check: "door-locked", Verdict: v}},
	}
}

func listing(region string, gap *fact.Gap) evidence.Entry {
	return evidence.Entry{Kind: "Door", Listing: &evidence.Listing{Region: region, Gap: gap}}
}

// door is an audit of two regions that runs one check.
var door = model.Audit{Checks: []model.CheckID{"door-locked"}, Regions: []string{"r", "other"}}

func TestCompare(t *testing.T) {
	t.Parallel()
	denied := fact.Gap{Reason: fact.Denied, Operation: "house:List", Action: "house:List"}
	pass, fail, other, blind := check.Passed("locked"), check.Failed("open"), check.Failed("wide open"), check.Unassessed(denied)
	none := check.Inapplicable("no lock")
	for name, c := range map[string]struct {
		before, after []evidence.Entry
		want          []string
	}{
		"same":               {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{seen("a", "r", fail), listing("r", nil)}, nil},
		"new":                {[]evidence.Entry{seen("a", "r", pass)}, []evidence.Entry{seen("a", "r", fail), listing("r", nil)}, []string{"new"}},
		"appeared failing":   {nil, []evidence.Entry{seen("a", "r", fail), listing("r", nil)}, []string{"new"}},
		"appeared passing":   {nil, []evidence.Entry{seen("a", "r", pass), listing("r", nil)}, nil},
		"fixed":              {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{seen("a", "r", pass), listing("r", nil)}, []string{"resolved"}},
		"applies no more":    {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{seen("a", "r", none), listing("r", nil)}, []string{"resolved"}},
		"deleted":            {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{listing("r", nil)}, []string{"resolved"}},
		"deleted, global":    {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{listing(model.Global, nil)}, []string{"resolved"}},
		"not looked for":     {[]evidence.Entry{seen("a", "elsewhere", fail)}, []evidence.Entry{listing(model.Global, nil)}, nil},
		"passing one gone":   {[]evidence.Entry{seen("a", "r", pass)}, []evidence.Entry{listing("r", nil)}, nil},
		"cannot be listed":   {[]evidence.Entry{seen("a", "r", fail), seen("b", "r", pass)}, []evidence.Entry{listing("r", &denied)}, []string{"newly_blind", "newly_blind"}},
		"region not audited": {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{listing("other", nil)}, nil},
		"cannot be read":     {[]evidence.Entry{seen("a", "r", pass)}, []evidence.Entry{seen("a", "r", blind), listing("r", nil)}, []string{"newly_blind"}},
		"not asked for":      {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{seen("a", "r", check.Unassessed(fact.Gap{Reason: fact.NotCollected})), listing("r", nil)}, nil},
		"still blind":        {[]evidence.Entry{seen("a", "r", blind)}, []evidence.Entry{seen("a", "r", blind), listing("r", nil)}, nil},
		"visible, passes":    {[]evidence.Entry{seen("a", "r", blind)}, []evidence.Entry{seen("a", "r", pass), listing("r", nil)}, []string{"newly_visible"}},
		"visible, fails":     {[]evidence.Entry{seen("a", "r", blind)}, []evidence.Entry{seen("a", "r", fail), listing("r", nil)}, []string{"new"}},
		"other reason":       {[]evidence.Entry{seen("a", "r", fail)}, []evidence.Entry{seen("a", "r", other), listing("r", nil)}, []string{"changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			comparison := diff.NewComparison(door, door)
			for _, e := range c.before {
				if err := comparison.Before(e); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range c.after {
				if err := comparison.After(e); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, d := range comparison.Finish() {
				got = append(got, string(d.What))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("differences (-want +got):\n%s", d)
			}
		})
	}
}

func TestChecksOfOneAuditOnlyAreNotCompared(t *testing.T) {
	t.Parallel()
	comparison := diff.NewComparison(model.Audit{}, door)
	if err := comparison.After(seen("a", "r", check.Failed("open"))); err != nil {
		t.Fatal(err)
	}
	if found := comparison.Finish(); len(found) != 0 {
		t.Errorf("a check that did not run before is called different: %+v", found)
	}
}
