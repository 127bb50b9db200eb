package across_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/services/across"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
)

// pattern is a filter pattern from the remediation of a check.
func pattern(t *testing.T, texts map[string]string, id string) string {
	t.Helper()
	_, filter, ok := strings.Cut(texts[id], "--filter-pattern '")
	if !ok {
		t.Fatalf("%s has no pattern", id)
	}
	return strings.TrimSuffix(filter, "'")
}

func monitoringCases(filter string) []checktest.Case {
	counting := func(name string, want check.Status, change func(*estate)) checktest.Case {
		return with(name, want, func(e *estate) {
			e.filter.Pattern = filter
			change(e)
		})
	}
	return []checktest.Case{
		counting("heard", check.Pass, same),
		counting("no trail", check.Fail, noTrails),
		counting("trail off", check.Fail, switchedOff),
		counting("trail of one region", check.Fail, oneRegion),
		counting("trail at home elsewhere", check.NotAssessed, unread),
		counting("trail of the organization", check.NotAssessed, ofOrganization),
		counting("writes only", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "WriteOnly", Management: true})),
		counting("no log group", check.Fail, func(e *estate) { e.detail.LogGroup = "" }),
		counting("not an ARN", check.NotAssessed, func(e *estate) { e.detail.LogGroup = "trail" }),
		counting("another pattern", check.Fail, func(e *estate) {
			e.filter.Pattern = `{ $.eventName = "RunInstances" && $.errorCode NOT EXISTS && $.userIdentity.type = x }`
		}),
		counting("a pattern not understood", check.NotAssessed, func(e *estate) { e.filter.Pattern = `{ $.eventName ~ x }` }),
		counting("another log group", check.Fail, func(e *estate) { e.filter.LogGroup = "other" }),
		counting("no alarm", check.Fail, func(e *estate) { e.alarm.Metrics[0].Name = "other" }),
		counting("actions disabled", check.Fail, func(e *estate) { e.alarm.Enabled = false }),
		counting("no action", check.Fail, func(e *estate) { e.alarm.Actions = nil }),
		counting("no topic among the actions", check.Fail, func(e *estate) { e.alarm.Actions = []string{"arn:aws:lambda:eu-west-1:111122223333:function:f"} }),
		counting("topic gone", check.Fail, func(e *estate) { e.alarm.Actions = []string{topicARN + "-2"} }),
		counting("topic of another account", check.NotAssessed, func(e *estate) {
			e.alarm.Actions = []string{"arn:aws:sns:eu-west-1:999988887777:alarms"}
		}),
		counting("nobody listens", check.Fail, func(e *estate) { e.topic.Confirmed = 0 }),
		counting("somebody listens to the second topic", check.Pass, func(e *estate) { e.alarm.Actions = []string{topicARN + "-2", topicARN} }),
	}
}

// TestOtherRegions wants a gap of a region that has nothing to do with the trail
// not to stand in the way: organizations forbid most regions.
func TestOtherRegions(t *testing.T) {
	t.Parallel()
	e := newEstate()
	e.filter.Pattern = `{ $.eventName = "other" }`
	for _, rule := range across.Service().Rules {
		if rule.ID != "monitoring-vpc-changes" && rule.ID != "cloudtrail-all-regions" {
			continue
		}
		world := check.NewWorld(rule.Uses...)
		for _, r := range e.resources() {
			world.Add(r)
		}
		for _, kind := range rule.Uses {
			world.AddGap(kind, fact.Gap{Reason: fact.SCPDenied, Region: "ap-south-1"})
		}
		want := check.Fail
		if rule.ID == "cloudtrail-all-regions" {
			want = check.Pass
		}
		if v := check.NewJudge(checktest.Now, world).Judge(rule, account); v.Status != want {
			t.Errorf("%s: %s (%s), want %s", rule.ID, v.Status, v.Reason, want)
		}
	}
}

func TestEveryRequirementOfChapterFour(t *testing.T) {
	t.Parallel()
	all, err := framework.All()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(f framework.Framework) bool { return f.ID == "cis-aws-5.0" })
	var found []string
	for _, r := range all[at].Requirements {
		if slices.ContainsFunc(r.Parts, func(p framework.Part) bool {
			return p.Tool == "" && strings.HasPrefix(p.ID, "monitoring-") && slices.ContainsFunc(across.Service().Rules, func(k check.Rule) bool { return string(k.ID) == p.ID })
		}) {
			found = append(found, r.ID)
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); len(found) != 15 {
		t.Errorf("requirements %v, want 4.1 to 4.15", found)
	}
}
