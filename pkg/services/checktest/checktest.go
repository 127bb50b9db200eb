// Package checktest tests a service's rules from a table of cases, and holds
// every rule to what a rule must never do: decide on something it could not
// read.
package checktest

import (
	"cmp"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/policy/grant/granttest"
)

// Now is the time at which cases are judged.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Ref is the identity of a case's resource: any name in eu-west-1 of account
// 111122223333.
func Ref(service, name string) model.Resource {
	return model.Resource{Ref: model.Ref{
		ARN: "arn:aws:" + service + ":eu-west-1:111122223333:" + name, Account: "111122223333", Region: "eu-west-1", Name: name,
	}}
}

// Case is one resource and what a rule must say of it.
type Case struct {
	Name     string
	Resource check.Resource
	Others   []check.Resource // of the same account, for rules that look at it
	Want     check.Status
	// Reports are public reports of tools that judge such a state wrongly, or that made
	// us ask: "prowler-cloud/prowler#823". docs/correctness.md lists them.
	Reports []string
}

// Table holds the cases of every rule of a service.
type Table map[model.CheckID][]Case

// denied stands in for a fact that could not be read.
var denied = fact.Gap{Reason: fact.Denied, Operation: "test:Read", Action: "test:Read"}

// Run tests the rules of a service. Every rule needs a case that passes and one
// that fails. That nothing exists (NOT_APPLICABLE) and that nothing can be read
// (NOT_ASSESSED) is tested of every rule by itself.
func Run(t *testing.T, service check.Service, table Table, others ...check.Service) {
	t.Helper()
	if _, err := check.NewCatalog(append(others, service)...); err != nil {
		t.Fatal(err)
	}
	texts(t, service)
	table = settled(table)
	pool := pool(t, table)
	seen := map[string][]string{}
	for _, rule := range service.Rules {
		seen[string(rule.ID)] = reads(rule, table[rule.ID])
		t.Run(string(rule.ID), func(t *testing.T) {
			cases := table[rule.ID]
			for _, status := range []check.Status{check.Pass, check.Fail} {
				if !slices.ContainsFunc(cases, func(c Case) bool { return c.Want == status }) {
					t.Errorf("no case of %s", status)
				}
			}
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) { testCase(t, rule, c, pool) })
			}
			if len(rule.Options) > 0 {
				t.Run("options", func(t *testing.T) { testOptions(t, rule, cases) })
			}
			if len(cases) > 0 {
				t.Run("nothing can be read", func(t *testing.T) { testBlind(t, rule, cases[0]) })
			}
		})
	}
	reported(t, service.Name, table)
	granttest.Recorded(t, "reads", service.Name, grant.Reads(), seen, func(string) bool { return true })
	for id := range table {
		if !slices.ContainsFunc(service.Rules, func(r check.Rule) bool { return r.ID == id }) {
			t.Errorf("cases for %s, which is no rule", id)
		}
	}
}

// reads are the facts that a rule reads in any of its cases, of the resource that
// it judges and of others, and the listings that it looks at.
func reads(rule check.Rule, cases []Case) []string {
	all := append([]string{rule.Kind}, rule.Uses...)
	for _, c := range cases {
		_, exhibits := judge(rule, c.Resource, c.Others, "")
		for _, x := range exhibits {
			if x.Fact != check.Listing && x.Kind != check.OptionFact {
				all = append(all, cmp.Or(x.Kind, c.Resource.Kind())+"."+x.Fact)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

func texts(t *testing.T, service check.Service) {
	t.Helper()
	texts, err := check.ParseTexts(service.Texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range service.Rules {
		if _, ok := texts[rule.ID]; !ok {
			t.Errorf("%s has no text in checks.yaml", rule.ID)
		}
		if !kebab.MatchString(string(rule.ID)) {
			t.Errorf("%s is not an id in kebab case", rule.ID)
		}
		delete(texts, rule.ID)
	}
	for id := range texts {
		t.Errorf("checks.yaml explains %s, which is no rule", id)
	}
}

func testCase(t *testing.T, rule check.Rule, c Case, pool map[string][]reflect.Value) {
	t.Helper()
	verdict, reads := judge(rule, c.Resource, c.Others, "")
	if verdict.Status != c.Want {
		t.Fatalf("%s (%s), want %s", verdict.Status, verdict.Reason, c.Want)
	}
	if verdict.Reason == "" {
		t.Error("the verdict gives no reason")
	}
	roundTrip(t, c.Resource)
	testStates(t, rule, c)
	testManaged(t, rule, c)
	testUnused(t, rule, c)

	// A reason that counts days would make every finding a new one every day.
	tomorrow := judgeAt(Now.AddDate(0, 0, 1), rule, c.Resource, c.Others)
	if tomorrow.Status == verdict.Status && tomorrow.Reason != verdict.Reason {
		t.Errorf("a day later the reason is %q, was %q; name the date instead", tomorrow.Reason, verdict.Reason)
	}

	// What the rule read is its evidence: with all else unknown it says the same. Of
	// other resources an exhibit names the fact, since those of a set are not told
	// apart; the evidence file has them all.
	bare := stripped(c.Resource, "", reads)
	others := make([]check.Resource, len(c.Others))
	for i, other := range c.Others {
		others[i] = stripped(other, other.Kind(), reads)
	}
	if again, _ := judge(rule, bare, others, ""); !gocmp.Equal(again, verdict) {
		t.Errorf("on the evidence alone: %s (%s), want %s (%s)", again.Status, again.Reason, verdict.Status, verdict.Reason)
	}

	// With one fact unknown, the rule may only repeat itself, and only if no
	// value of that fact would have made it say anything else.
	for _, f := range check.Facts(c.Resource) {
		blind, _ := judge(rule, with(c.Resource, f.Index, reflect.ValueOf(f.Value.Replaced(denied))), c.Others, "")
		if blind.Status == check.NotAssessed {
			if len(blind.Gaps) == 0 {
				t.Errorf("NOT_ASSESSED without %s, but names no gap", f.Name)
			}
			continue
		}
		if blind.Status != verdict.Status {
			t.Errorf("without %s: %s (%s); it cannot know", f.Name, blind.Status, blind.Reason)
		}
		for _, other := range pool[c.Resource.Kind()+"."+f.Name] {
			if v, _ := judge(rule, with(c.Resource, f.Index, other), c.Others, ""); v.Status != blind.Status {
				t.Errorf("without %s: %s (%s), though %v would make it %s (%s)", f.Name, blind.Status, blind.Reason, other.Interface().(fact.Any).Content(), v.Status, v.Reason)
			}
		}
	}
	testOthers(t, rule, c, verdict)
}

// stripped is a resource with only those facts that exhibits name for its kind,
// which is empty for the judged resource.
func stripped(r check.Resource, kind string, exhibits []check.Exhibit) check.Resource {
	for _, f := range check.Facts(r) {
		if !slices.ContainsFunc(exhibits, func(x check.Exhibit) bool {
			return x.Kind == kind && slices.Contains(strings.Split(x.Fact, ", "), f.Name)
		}) {
			r = with(r, f.Index, reflect.Zero(reflect.ValueOf(r).Field(f.Index).Type()))
		}
	}
	return r
}

// testOthers makes gaps of the facts of other resources, and of the listings
// that a rule looks at. A verdict may survive only unchanged; that no hidden
// resource could turn it is for the rule's own cases to show.
func testOthers(t *testing.T, rule check.Rule, c Case, verdict check.Verdict) {
	t.Helper()
	for i, other := range c.Others {
		for _, f := range check.Facts(other) {
			others := slices.Clone(c.Others)
			others[i] = with(other, f.Index, reflect.ValueOf(f.Value.Replaced(denied)))
			if v, _ := judge(rule, c.Resource, others, ""); v.Status != check.NotAssessed && v.Status != verdict.Status {
				t.Errorf("without %s of %s: %s (%s); it cannot know", f.Name, other.Reference(), v.Status, v.Reason)
			}
		}
	}
	for _, kind := range rule.Uses {
		if v, _ := judge(rule, c.Resource, c.Others, kind); v.Status != check.NotAssessed && v.Status != verdict.Status {
			t.Errorf("without the listing of %s: %s (%s); it cannot know", kind, v.Status, v.Reason)
		}
	}
}

// testBlind wants NOT_ASSESSED, with the gaps, when no fact and no listing can
// be read.
func testBlind(t *testing.T, rule check.Rule, c Case) {
	t.Helper()
	blind := c.Resource
	for _, f := range check.Facts(blind) {
		blind = with(blind, f.Index, reflect.ValueOf(f.Value.Replaced(denied)))
	}
	world := check.NewWorld(rule.Uses...)
	for _, kind := range rule.Uses {
		world.AddGap(kind, denied)
	}
	verdict := check.NewJudge(Now, world).Judge(rule, blind)
	if verdict.Status != check.NotAssessed || len(verdict.Gaps) == 0 {
		t.Errorf("%s (%s) of a resource of which nothing could be read", verdict.Status, verdict.Reason)
	}
}

// worldOf is an account as a rule sees it.
func worldOf(rule check.Rule, subject check.Resource, others []check.Resource) *check.World {
	world := check.NewWorld(rule.Uses...)
	for _, other := range append([]check.Resource{subject}, others...) {
		world.Add(other)
	}
	return world
}

func judge(rule check.Rule, subject check.Resource, others []check.Resource, unlisted string) (check.Verdict, []check.Exhibit) {
	world := worldOf(rule, subject, others)
	if unlisted != "" {
		world.AddGap(unlisted, denied)
	}
	j := check.NewJudge(Now, world)
	verdict := j.Judge(rule, subject)
	return verdict, j.Evidence().Exhibits(subject)
}

func judgeAt(now time.Time, rule check.Rule, subject check.Resource, others []check.Resource) check.Verdict {
	return check.NewJudge(now, worldOf(rule, subject, others)).Judge(rule, subject)
}

// pool gathers, per fact of each type, the different values that the table
// gives it.
func pool(t *testing.T, table Table) map[string][]reflect.Value {
	t.Helper()
	all, seen := map[string][]reflect.Value{}, map[string]bool{}
	for _, cases := range table {
		for _, c := range cases {
			for _, f := range check.Facts(c.Resource) {
				if f.Value.Gap() != nil {
					continue
				}
				content, err := f.Value.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				at := c.Resource.Kind() + "." + f.Name
				if !seen[at+string(content)] {
					seen[at+string(content)] = true
					all[at] = append(all[at], reflect.ValueOf(f.Value))
				}
			}
		}
	}
	return all
}

// with is a copy of a resource with one field replaced.
func with(r check.Resource, field int, value reflect.Value) check.Resource {
	changed := reflect.New(reflect.TypeOf(r)).Elem()
	changed.Set(reflect.ValueOf(r))
	changed.Field(field).Set(value)
	return changed.Interface().(check.Resource)
}

// roundTrip wants a resource to survive the snapshot.
func roundTrip(t *testing.T, r check.Resource) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back := reflect.New(reflect.TypeOf(r))
	if err := json.Unmarshal(data, back.Interface()); err != nil {
		t.Fatalf("read back %s: %v", r.Reference(), err)
	}
	again, err := json.Marshal(back.Elem().Interface())
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(data), string(again)); diff != "" {
		t.Errorf("the snapshot of %s changes when it is read (-written +read):\n%s", r.Reference(), diff)
	}
}
