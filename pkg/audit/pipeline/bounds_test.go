package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
)

// TestLargeEvidence: a rule that read more than a record can hold still has its
// finding, and the file still has all that it read.
func TestLargeEvidence(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}, guards: make([]bool, 31_000)} // too many to be in memory beside the doors
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	a := m.audit(t)
	f := m.findings(t, "door-guarded")["a"]
	if a.State != model.AuditDone || f.State != model.FindingOpen || len(f.Evidence) == 0 || len(f.Evidence) > 2*check.MaxEvidence || f.Source == "" {
		t.Errorf("audit %s, finding %s with %d bytes of evidence of %q", a.State, f.State, len(f.Evidence), f.Source)
	}
	w.guards[0] = true
	if m.audit(t); m.findings(t, "door-guarded")["a"].State != model.FindingResolved {
		t.Errorf("finding %+v", m.findings(t, "door-guarded")["a"])
	}
}

// TestHugeNames: nothing that a resource is called can end an audit.
func TestHugeNames(t *testing.T) {
	t.Parallel()
	w := &world{}
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	names := []string{strings.Repeat("x", 500_000), strings.Repeat("<", 500_000), strings.Repeat("\xff", 500_000), "\x00\uffff\x1b[2J", ""}
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		for i, name := range names {
			s.Emit(door{Resource: s.Resource(s.ARN("house", fmt.Sprintf("door/%d%s", i, name)), name), Locked: fact.Known(false)})
		}
		return nil
	}}}}
	for range 2 {
		if a := m.audit(t); a.State != model.AuditDone || a.Summary.Tally["door-locked"].Fail != len(names) {
			t.Fatalf("audit %s %v: %+v", a.State, a.Problems, a.Summary)
		}
		if found, err := m.records.Findings(t.Context(), account, "house"); err != nil || len(found) != len(names) {
			t.Fatalf("%d findings, %v", len(found), err)
		}
	}
}

// TestTrustedAccounts: whom a connection trusts reaches the collectors, by the clock's
// audits as by those that somebody asked for, and stays with the audit.
func TestTrustedAccounts(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	var seen [][]string
	m.Specs["house"] = collect.Spec{Service: "house", Global: true, Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		seen = append(seen, s.Trusted)
		return nil
	}}}}
	connection := model.Connection{ID: account, AccountID: account, RoleARN: "arn:aws:iam::" + account + ":role/r", AuditOptions: model.AuditOptions{Regions: []string{"eu-west-1"}, TrustedAccounts: []string{"444455556666"}}}
	if err := m.BeginFor(t.Context(), model.Change{}, organization, connection, "trusting"); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || !slices.Equal(seen[0], connection.TrustedAccounts) {
		t.Errorf("the collector saw %v", seen)
	}
	if a, err := m.records.Audit(t.Context(), account, "trusting"); err != nil || !slices.Equal(a.TrustedAccounts, connection.TrustedAccounts) {
		t.Errorf("the audit has %v, %v", a.TrustedAccounts, err)
	}
}

// TestSharedTypes: a type that is nobody's affair by itself keeps no check from running
// where only other services are asked for, and is collected for it.
func TestSharedTypes(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"shared": true, "of a service": false} {
		kind := check.KindOf[guard]()
		kind.Shared = shared
		catalog, err := check.NewCatalog(
			check.Service{Name: "house", Kinds: []check.Kind{check.KindOf[door]()}, Rules: []check.Rule{
				check.For("door-locked", model.High, locked), check.Across("door-guarded", model.High, guarded, check.Using[guard]()),
			}},
			check.Service{Name: "guards", Kinds: []check.Kind{kind}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := pipeline.Resolve(catalog, catalog.Checks(), []string{"house"})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"house"}
		if shared {
			want = append(want, "guards")
		}
		if !slices.Equal(s.Services, want) || (len(s.Checks) == 2) != shared {
			t.Errorf("%s: %d checks over %v", name, len(s.Checks), s.Services)
		}
	}
}

// TestNarrowedRegions: what an audit did not look at is not gone, also where one
// listing has all regions and leaves out the others.
func TestNarrowedRegions(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	there := []string{"eu-west-1", "us-east-1"}
	m.Specs["house"] = collect.Spec{Service: "house", Global: true, Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		for _, region := range there {
			if s.Audits(region) {
				d := door{Resource: s.Resource("arn:aws:house:::door/"+region, region), Locked: fact.Known(false)}
				d.Region = region
				s.Emit(d)
			}
		}
		return nil
	}}}}
	audit := func(regions ...string) map[string]model.Finding {
		t.Helper()
		r := m.request()
		r.Regions = regions
		if _, err := m.Plan(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		return m.findings(t, "door-locked")
	}
	audit("eu-west-1", "us-east-1")
	if f := audit("eu-west-1"); f["us-east-1"].State != model.FindingOpen || len(f["us-east-1"].History) != 1 {
		t.Errorf("not looked at: %+v", f["us-east-1"])
	}
	there = there[:1]
	if f := audit("eu-west-1", "us-east-1"); f["us-east-1"].State != model.FindingResolved || f["us-east-1"].Why != model.WhyGone {
		t.Errorf("gone: %+v", f["us-east-1"])
	}
}

// TestNarrowedRulesOverTheAccount: what one region alone shows of the whole account is
// neither fine nor wrong, and what was found of it stays.
func TestNarrowedRulesOverTheAccount(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	awake := map[string]bool{"eu-west-1": false, "us-east-1": false}
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		s.Emit(guard{Resource: s.Resource(s.ARN("house", "guard"), s.Region), Awake: fact.Known(awake[s.Region])})
		if s.Region == "eu-west-1" {
			s.Emit(door{Resource: s.Resource(s.ARN("house", "door"), "door"), Locked: fact.Known(true)})
		}
		return nil
	}}}}
	audit := func(narrowed bool, regions ...string) (model.Audit, model.Finding) {
		t.Helper()
		r := m.request()
		r.Regions, r.Narrowed = regions, narrowed
		if _, err := m.Plan(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := m.records.Audit(t.Context(), account, r.Audit)
		if err != nil {
			t.Fatal(err)
		}
		return a, m.findings(t, "door-guarded")["door"]
	}
	if _, f := audit(false, "eu-west-1", "us-east-1"); f.State != model.FindingOpen {
		t.Fatalf("nobody is awake: %+v", f)
	}
	awake["eu-west-1"] = true
	if a, f := audit(true, "eu-west-1"); a.Summary.Tally["door-guarded"].NotAssessed != 1 || f.State != model.FindingOpen || !f.BlindSince.IsZero() || len(f.History) != 1 {
		t.Errorf("one region is known: %+v, %+v", a.Summary.Tally, f)
	} else if c := a.Summary.Changes; len(c.NewlyBlind) != 0 {
		t.Errorf("newly blind %v", c.NewlyBlind)
	}
	if _, f := audit(false, "eu-west-1", "us-east-1"); f.State != model.FindingResolved {
		t.Errorf("all are known: %+v", f)
	}
}
