package check_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// boiler is made, deleted, and held by others.
type boiler struct {
	model.Resource
	Detail fact.Of[boilerDetail] `json:"detail"`
}

type boilerDetail struct {
	State, Owner string
	Hot          bool
}

func (boiler) Kind() string { return "Test::House::Boiler" }

func (b boiler) State(e *check.Evidence) string { return check.Read(e, b.Detail).State }

func (boiler) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the boiler", Judged: []string{"ACTIVE"}, Passed: []string{"DELETING"}}
}

func (b boiler) Manager(e *check.Evidence) string { return check.Read(e, b.Detail).Owner }

func aBoiler(d boilerDetail) boiler {
	b := boiler{Detail: fact.Known(d)}
	b.ARN = "arn:aws-us-gov:house:us-gov-west-1:1:boiler/1"
	return b
}

func TestARuleAsksFirstHowAResourceStands(t *testing.T) {
	t.Parallel()
	boilers := check.On(func(b boiler) fact.Of[boilerDetail] { return b.Detail })
	hot := check.For("boiler-hot", model.Low, boilers.Must(func(d boilerDetail) bool { return d.Hot }, "hot", "cold"))
	inWinter := boilers.Unless(check.When(func(d boilerDetail) bool { return !d.Hot }, "it is summer"))
	everyBoiler := func(*check.Evidence, boiler) check.Verdict { return check.Failed("a boiler") }
	for name, c := range map[string]struct {
		rule   check.Rule
		boiler boiler
		want   check.Status
		reason string
	}{
		"judged":                    {hot, aBoiler(boilerDetail{State: "ACTIVE", Hot: true}), check.Pass, "hot"},
		"in lower case":             {hot, aBoiler(boilerDetail{State: "active"}), check.Fail, "cold"},
		"being deleted":             {hot, aBoiler(boilerDetail{State: "DELETING"}), check.NotApplicable, "the state of the boiler is DELETING"},
		"in a state nobody knows":   {hot, aBoiler(boilerDetail{State: "MELTING", Hot: true}), check.NotAssessed, "error"},
		"without a state":           {hot, aBoiler(boilerDetail{Hot: true}), check.NotAssessed, "error"},
		"of an unread state":        {hot, boiler{Detail: fact.Missing[boilerDetail](fact.Denied, "house:Look")}, check.NotAssessed, "denied: house:Look"},
		"for a rule of all states":  {hot.InAnyState(), aBoiler(boilerDetail{State: "DELETING"}), check.Fail, "cold"},
		"held by a service":         {hot, aBoiler(boilerDetail{State: "ACTIVE", Owner: "eks.amazonaws.com"}), check.NotApplicable, "it is eks.amazonaws.com's, who alone can change it"},
		"held, and the rule judges": {hot.EvenManaged(), aBoiler(boilerDetail{State: "ACTIVE", Owner: "eks.amazonaws.com"}), check.Fail, "cold"},
		"in a partition that cannot": {
			hot.Except(check.Exclusion{Partitions: []string{"aws-us-gov"}, Reason: "no gas"}), aBoiler(boilerDetail{State: "ACTIVE"}), check.NotApplicable, "no gas",
		},
		"in another partition": {
			hot.Except(check.Exclusion{Partitions: []string{"aws-cn"}, Reason: "no gas"}), aBoiler(boilerDetail{State: "ACTIVE"}), check.Fail, "cold",
		},
		"put out of place": {
			check.For("boiler-hot", model.Low, inWinter.Must(func(boilerDetail) bool { return true }, "hot", "cold")), aBoiler(boilerDetail{State: "ACTIVE"}), check.NotApplicable, "it is summer",
		},
		"put out of place before it is asked more": {
			check.For("boiler-hot", model.Low, inWinter.Then(everyBoiler)), aBoiler(boilerDetail{State: "ACTIVE"}), check.NotApplicable, "it is summer",
		},
		"asked more": {check.For("boiler-hot", model.Low, inWinter.Then(everyBoiler)), aBoiler(boilerDetail{State: "ACTIVE", Hot: true}), check.Fail, "a boiler"},
	} {
		v, _ := judge(nil, c.rule, c.boiler)
		if v.Status != c.want || !strings.HasPrefix(v.Reason, c.reason) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, v.Status, v.Reason, c.want, c.reason)
		}
	}
}
