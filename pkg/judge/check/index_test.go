package check_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// wire turns on the lamps that it names.
type wire struct {
	model.Resource
	Lamps fact.Of[[]string] `json:"lamps"`
}

func (wire) Kind() string { return "Test::House::Wire" }

func newWire(name, region string, lamps fact.Of[[]string]) wire {
	w := wire{Lamps: lamps}
	w.ARN, w.Region, w.Name = "arn:aws:house:"+region+":1:wire/"+name, region, name
	return w
}

var byLamp = check.NewIndex(func(e *check.Evidence, w wire) []string {
	lamps := check.Read(e, w.Lamps)
	if len(lamps) > 0 && lamps[0] == "short circuit" {
		panic("short circuit")
	}
	return lamps
})

var wired = check.Across("lamp-wired", model.Low, func(e *check.Evidence, l lamp) check.Verdict {
	check.Read(e, l.Lit)
	wires, gaps := byLamp.SomeIn(e, l.Region, l.Name)
	for _, w := range wires {
		check.Read(e, w.Lamps)
		return check.Passed("the wire " + w.Name + " leads to it")
	}
	if len(gaps) > 0 {
		check.Stop(gaps...)
	}
	return check.Failed("no wire leads to it")
}, check.Using[wire]())

func lampNamed(name string) lamp {
	l := newLamp(name, fact.Known(true))
	l.Name = name
	return l
}

func TestIndex(t *testing.T) {
	t.Parallel()
	const here, elsewhere = "eu-west-1", "eu-west-2"
	known := func(lamps ...string) fact.Of[[]string] { return fact.Known(lamps) }
	hidden := fact.Missing[[]string](fact.Denied, "house:GetWire")
	for name, c := range map[string]struct {
		wires  []wire
		unread string // the region whose listing has a gap
		want   check.Status
	}{
		"none":                          {nil, "", check.Fail},
		"one":                           {[]wire{newWire("1", here, known("x", "a", "a"))}, "", check.Pass},
		"of others":                     {[]wire{newWire("1", here, known("x"))}, "", check.Fail},
		"of another region":             {[]wire{newWire("1", elsewhere, known("a"))}, "", check.Fail},
		"one that cannot be read":       {[]wire{newWire("1", here, known("x")), newWire("2", here, hidden)}, "", check.NotAssessed},
		"one never read":                {[]wire{newWire("1", here, fact.Of[[]string]{})}, "", check.NotAssessed},
		"one at which the index fails":  {[]wire{newWire("1", here, known("short circuit"))}, "", check.NotAssessed},
		"hidden, and one that is right": {[]wire{newWire("1", here, hidden), newWire("2", here, known("a"))}, "", check.Pass},
		"hidden in another region":      {[]wire{newWire("1", elsewhere, hidden)}, "", check.Fail},
		"not listed":                    {nil, here, check.NotAssessed},
		"not listed in another region":  {nil, elsewhere, check.Fail},
		"not listed, one is right":      {[]wire{newWire("1", here, known("a"))}, here, check.Pass},
	} {
		world := check.NewWorld(wired.Uses...)
		for _, w := range c.wires {
			world.Add(w)
		}
		if c.unread != "" {
			world.AddGap(wire{}.Kind(), fact.Gap{Reason: fact.Denied, Action: "house:ListWires", Region: c.unread})
		}
		v, _ := judge(world, wired, lampNamed("a"))
		if v.Status != c.want || (v.Status == check.NotAssessed) != (len(v.Gaps) > 0) {
			t.Errorf("%s: %+v, want %s", name, v, c.want)
		}
	}
}

// TestIndexKeepsUp wants an index to know what the world took in after it was made.
func TestIndexKeepsUp(t *testing.T) {
	t.Parallel()
	world := check.NewWorld(wired.Uses...)
	for range 2 {
		if v, _ := judge(world, wired, lampNamed("a")); v.Status != check.Fail {
			t.Fatalf("%+v", v)
		}
	}
	world.Add(newWire("1", "eu-west-1", fact.Known([]string{"a"})))
	if v, _ := judge(world, wired, lampNamed("a")); v.Status != check.Pass {
		t.Errorf("after a wire was laid: %+v", v)
	}
	world.AddGap(wire{}.Kind(), fact.Gap{Reason: fact.Denied})
	if v, _ := judge(world, wired, lampNamed("b")); v.Status != check.NotAssessed {
		t.Errorf("after a listing failed: %+v", v)
	}
}

// TestSets wants what a rule looked through to be one exhibit, however much it is.
func TestSets(t *testing.T) {
	t.Parallel()
	world := check.NewWorld(wire{}.Kind(), lamp{}.Kind())
	for i := range 1000 {
		world.Add(newWire(fmt.Sprint(i), "eu-west-1", fact.Known([]string{fmt.Sprint("lamp-", i%500)})))
	}
	world.Add(newWire("hidden", "eu-west-1", fact.Missing[[]string](fact.Denied, "house:GetWire")))
	everyWire := check.Across("wires-counted", model.Low, func(e *check.Evidence, _ lamp) check.Verdict {
		for _, w := range check.All[wire](e) {
			if lamps, ok := check.Try(e, w.Lamps); ok && lamps[0] == "lamp-499" {
				return check.Passed("found")
			}
		}
		return check.Failed("")
	}, check.Using[wire]())
	noLamp := check.Across("lamps-none", model.Low, func(e *check.Evidence, _ lamp) check.Verdict {
		return check.Must(len(check.AllIn[wire](e, "eu-west-9")) == 0, "none", "some")
	}, check.Using[wire]())
	for name, c := range map[string]struct {
		rule check.Rule
		lamp string
		want []string
	}{
		"none matches": {wired, "a", []string{"#lit", "Test::House::Wire in eu-west-1#lamps " +
			`{"set":{"count":1001,"asked":["a"],"matching":0,"unknown":1,"some":[{"resource":"arn:aws:house:eu-west-1:1:wire/0","keys":["lamp-0"]},`}},
		"some match": {wired, "lamp-7", []string{
			"#lit", `arn:aws:house:eu-west-1:1:wire/7#lamps {"value":["lamp-7"]}`,
			`Test::House::Wire in eu-west-1#lamps {"set":{"count":1001,"asked":["lamp-7"],"matching":2,"unknown":1}}`,
		}},
		"all read":    {everyWire, "a", []string{`Test::House::Wire#lamps {"set":{"count":500,"some":[{"resource":"arn:aws:house:eu-west-1:1:wire/0","content":{"value":["lamp-0"]}},`}},
		"only listed": {noLamp, "a", []string{`Test::House::Wire in eu-west-9#listing {"set":{"count":0}}`}},
	} {
		_, exhibits := judge(world, c.rule, lampNamed(c.lamp))
		if len(exhibits) != len(c.want) {
			t.Errorf("%s: %d exhibits, want %d", name, len(exhibits), len(c.want))
			continue
		}
		for i, x := range exhibits {
			content, err := json.Marshal(x.Content)
			if err != nil {
				t.Fatal(err)
			}
			if got := x.Resource + "#" + x.Fact + " " + string(content); !strings.HasPrefix(got, c.want[i]) || len(got) > 2000 {
				t.Errorf("%s: %s, want %s", name, got, c.want[i])
			}
		}
		last, _ := json.Marshal(exhibits[len(exhibits)-1].Content)
		if name == "all read" && !strings.HasSuffix(string(last), `{"resource":"arn:aws:house:eu-west-1:1:wire/499","content":{"value":["lamp-499"]}}],"more":"and 495 more"}}`) {
			t.Errorf("%s: what decided is not shown: %s", name, last)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`{"value":1}`, `"` + strings.Repeat("x", 999) + `"`, `["` + strings.Repeat(`\"\\`, 999) + `"]`, `"` + strings.Repeat("東", 999) + `"`} {
		for _, size := range []int{100, 300, 4000} {
			got := check.Excerpt(json.RawMessage(content), size)
			if len(got) > size || !json.Valid(got) {
				t.Errorf("%.20s… in %d bytes: %d bytes, %s", content, size, len(got), got)
			}
			if len(content) <= size && string(got) != content {
				t.Errorf("%.20s… was cut without need", content)
			}
		}
	}
}
