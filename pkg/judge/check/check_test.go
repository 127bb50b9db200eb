package check_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

type lamp struct {
	model.Resource
	Lit  fact.Of[bool] `json:"lit"`
	Room fact.Of[room] `json:"room"`
}

type room struct {
	Dark   bool
	Dimmed *bool
}

func (lamp) Kind() string { return "Test::House::Lamp" }

func newLamp(name string, lit fact.Of[bool]) lamp {
	l := lamp{Lit: lit, Room: fact.Known(room{})}
	l.ARN, l.Region = "arn:aws:house:eu-west-1:1:lamp/"+name, "eu-west-1"
	return l
}

func judge(world *check.World, rule check.Rule, r check.Resource) (check.Verdict, []check.Exhibit) {
	j := check.NewJudge(time.Unix(0, 0), world)
	v := j.Judge(rule, r)
	return v, j.Evidence().Exhibits(r)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	lit := check.For("lamp-lit", model.Low, func(e *check.Evidence, l lamp) check.Verdict {
		return check.Must(check.Read(e, l.Lit), "lit", "dark")
	})
	broken := check.For("lamp-broken", model.Low, func(*check.Evidence, lamp) check.Verdict { panic("short circuit") })

	v, read := judge(nil, lit, newLamp("a", fact.Known(false)))
	if v.Status != check.Fail || len(read) != 1 || read[0].Fact != "lit" {
		t.Errorf("%+v with evidence %+v", v, read)
	}
	v, read = judge(nil, lit, newLamp("a", fact.Missing[bool](fact.Denied, "house:GetLamp")))
	if v.Status != check.NotAssessed || v.Gaps[0].Action != "house:GetLamp" || len(read) != 1 {
		t.Errorf("behind a gap: %+v with evidence %+v", v, read)
	}
	told := check.For("lamp-told", model.Low, func(e *check.Evidence, l lamp) check.Verdict {
		return check.Must(check.Told("Dimmed", check.Read(e, l.Room).Dimmed), "dimmed", "bright")
	})
	for dimmed, want := range map[*bool]check.Status{nil: check.NotAssessed, new(true): check.Pass, new(false): check.Fail} {
		l := newLamp("a", fact.Known(true))
		l.Room = fact.Known(room{Dimmed: dimmed})
		if v, read := judge(nil, told, l); v.Status != want || len(read) != 1 {
			t.Errorf("told %v: %+v with evidence %+v", dimmed, v, read)
		}
	}
	v, _ = judge(nil, broken, newLamp("a", fact.Known(true)))
	if v.Status != check.NotAssessed || !strings.Contains(v.Gaps[0].Detail, "short circuit") {
		t.Errorf("a rule that panics gives %+v", v)
	}
}

func TestAcross(t *testing.T) {
	t.Parallel()
	someLit := check.Across("some-lamp-lit", model.Low, func(e *check.Evidence, _ lamp) check.Verdict {
		for _, other := range check.All[lamp](e) {
			if check.Read(e, other.Lit) {
				return check.Passed("one is lit")
			}
		}
		return check.Failed("all are dark")
	}, check.Using[lamp]())
	world := check.NewWorld(someLit.Uses...)
	a, b := newLamp("a", fact.Known(false)), newLamp("b", fact.Known(true))
	world.Add(a)
	world.Add(b)
	v, read := judge(world, someLit, a)
	if v.Status != check.Pass {
		t.Fatalf("%+v", v)
	}
	want := []string{"#lit", b.ARN + "#lit"}
	var got []string
	for _, x := range read {
		got = append(got, x.Resource+"#"+x.Fact)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	world.AddGap(a.Kind(), fact.Gap{Reason: fact.Denied, Action: "house:ListLamps", Region: "eu-west-2"})
	if v, _ := judge(world, someLit, a); v.Status != check.NotAssessed {
		t.Errorf("with a region that cannot be listed: %+v", v)
	}
	here := check.Across("lamps-here", model.Low, func(e *check.Evidence, l lamp) check.Verdict {
		return check.Must(len(check.AllIn[lamp](e, l.Region)) == 2, "two", "not two")
	}, check.Using[lamp]())
	if v, _ := judge(world, here, a); v.Status != check.Pass {
		t.Errorf("another region's gap spoiled a rule over this one: %+v", v)
	}
	undeclared := check.Across("undeclared", model.Low, func(e *check.Evidence, _ lamp) check.Verdict {
		check.All[lamp](e)
		return check.Passed("")
	})
	if v, _ := judge(check.NewWorld(), undeclared, a); v.Status != check.NotAssessed {
		t.Errorf("a rule that looks at what it did not declare: %+v", v)
	}
}

const texts = `
lamp-lit:
  title: Lamps are lit
  pillar: security
  risk: You stumble.
  remediation: {console: Press the switch.}
  references: ["https://docs.aws.amazon.com/"]
  since: 0.1.0
  aliases: {other: [lamp_lit, L.1]}
lamp-clean: {title: Lamps are clean, pillar: cost, risk: Dust., remediation: {console: Wipe.}, references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}, partly: {other: {L.3: "wants polish as well"}}}
`

func service(rules ...check.Rule) check.Service {
	return check.Service{Name: "house", Kinds: []check.Kind{check.KindOf[lamp]()}, Rules: rules, Texts: []byte(texts)}
}

func rule(id model.CheckID) check.Rule {
	return check.For(id, model.Low, func(*check.Evidence, lamp) check.Verdict { return check.Passed("") })
}

func TestSelect(t *testing.T) {
	t.Parallel()
	catalog, err := check.NewCatalog(service(rule("lamp-lit"), rule("lamp-clean")))
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"":                   "lamp-clean lamp-lit",
		"lamp-lit":           "lamp-lit",
		"lamp-*":             "lamp-clean lamp-lit",
		"*-clean lamp-lit":   "lamp-clean lamp-lit",
		"other:L.1":          "lamp-lit",
		"other:l.1 lamp-lit": "lamp-lit",
		"other:lamp_lit":     "lamp-lit",
		"other:L.3":          "lamp-clean", // partly is enough to be found by
	} {
		chosen, err := catalog.Select(strings.Fields(words))
		if err != nil {
			t.Errorf("%q: %v", words, err)
		}
		var ids []string
		for _, c := range chosen {
			ids = append(ids, string(c.ID))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q selects %q, want %q", words, got, want)
		}
	}
	for word, nearest := range map[string]string{"lamp-litt": "lamp-lit", "other:L.2": "other:L.1", "xyzzy-nothing-alike-at-all": ""} {
		var unknown *check.UnknownError
		if _, err := catalog.Select([]string{word}); !errors.As(err, &unknown) || unknown.Nearest != nearest {
			t.Errorf("%q: %v, want the nearest %q", word, err, nearest)
		}
	}
	if _, err := catalog.Select([]string{"["}); err == nil {
		t.Error("a broken pattern was accepted")
	}
}

func TestCatalogRefuses(t *testing.T) {
	t.Parallel()
	if _, err := check.NewCatalog(service(rule("lamp-lit"), rule("lamp-lit"))); err == nil {
		t.Error("two checks of one id were accepted")
	}
	if _, err := check.NewCatalog(service(), service()); err == nil {
		t.Error("one type declared twice was accepted")
	}
	if _, err := check.NewCatalog(check.Service{Rules: []check.Rule{rule("lamp-lit")}}); err == nil {
		t.Error("a rule over an unknown type was accepted")
	}
}

func TestTextsRefuse(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]string{
		"unknown key":     strings.Replace(texts, "risk: You", "risc: You", 1),
		"unknown pillar":  strings.Replace(texts, "pillar: security", "pillar: secrecy", 1),
		"empty risk":      strings.Replace(texts, "risk: You stumble.", "risk: ''", 1),
		"no reference":    strings.Replace(texts, `references: ["https://docs.aws.amazon.com/"]`, "references: []", 1),
		"no difference":   strings.Replace(texts, "wants polish as well", " ", 1),
		"same and partly": strings.Replace(texts, "aliases: {}", "aliases: {other: [L.3]}", 1),
		"http reference":  strings.Replace(texts, "https", "http", 1),
		"twice":           texts + "\nlamp-clean: {}\n",
	} {
		if broken == texts {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if _, err := check.ParseTexts([]byte(broken)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestNearestOfALongWord: what is much longer than each name is compared with none, so that
// a word out of an address costs no more than it is long.
func TestNearestOfALongWord(t *testing.T) {
	t.Parallel()
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("account-%d", i)
	}
	if got := check.Nearest(strings.Repeat("account-1", 100_000), names); got != "" {
		t.Errorf("%s is near", got)
	}
	if got := check.Nearest("acount-77", names); got != "account-77" {
		t.Errorf("%q, want account-77", got)
	}
}

func TestNearestPrefersLikeness(t *testing.T) {
	t.Parallel()
	names := []string{"audit", "checks", "findings", "run", "show"}
	for word, want := range map[string]string{"chekcs": "checks", "rnu": "run", "finding": "findings", "zzzzzz": ""} {
		if got := check.Nearest(word, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	if !slices.IsSorted(names) {
		t.Error("the names were reordered")
	}
}
