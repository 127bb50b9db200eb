package collecttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/wire"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

var update = flag.Bool("update", false, "write what scenarios come to, instead of comparing it")

// Secret is a credential, wherever a scenario has it. No snapshot may hold it.
const Secret = "Tr0ub4dor3correct" //nolint:gosec // nobody's

// Now is the time at which scenarios are judged.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Wire tests a collector and its service's rules from AWS's own answers: the scenarios
// in testdata/*.txtar, whose form package wire explains. Beside each stand what it is
// collected as (.resources.json) and what the rules say of that (.verdicts.tsv), which
// people read and -update writes.
//
// What was known before, from trying, stands in .trust.json where it is not Trust.
//
// Together the scenarios set every field of every resource type. Each operation is
// denied and throttled in turn. Each part of each answer is changed in turn, and no
// verdict may become PASS thereby, nor FAIL for want of a flag, unless testdata/absent.tsv
// says where AWS documents it.
//
// If kinds are given, only the walks of these resource types are tested.
func Wire(t *testing.T, spec collect.Spec, service check.Service, kinds ...string) {
	t.Helper()
	if len(kinds) > 0 {
		spec = ofKinds(spec, kinds)
	}
	seen := map[string]bool{}
	taken := map[string][]string{}
	var resources []check.Resource
	var excused []absence
	for i, file := range scenarios(t) {
		s := open(t, service, file, spec)
		resources = append(resources, s.found.Resources...)
		for _, operation := range s.operations {
			seen[operation] = true
		}
		t.Run(s.name, func(t *testing.T) {
			snapshot := s.snapshot(t)
			s.golden(t, ".resources.json", snapshot)
			if bytes.Contains(snapshot, []byte(Secret)) {
				t.Error("the snapshot holds a secret")
			}
			s.golden(t, ".verdicts.tsv", s.table())
			f := faults{spec: s.specs[0], found: s.found, operations: s.operations, taken: taken, fresh: func(meddle func(string, int) error) aws.Config {
				cloud := wire.New(s.answers)
				cloud.Meddle = meddle
				return cloud.Config(t)
			}}
			f.each(t)
			if i == 0 {
				f.all(t)
			}
			t.Run("secrets of policies", s.secretsOfPolicies)
			t.Run("mutations", func(t *testing.T) { excused = append(excused, s.mutations(t)...) })
		})
	}
	t.Run("every field is set", func(t *testing.T) { everyFieldSet(t, spec, resources) })
	t.Run("operations seen are operations declared", func(t *testing.T) {
		if diff := cmp.Diff(declared(spec), slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("operations (-declared +seen):\n%s", diff)
		}
	})
	if !*update { // make blinds comes after it
		t.Run("what each operation is for is recorded", func(t *testing.T) { recorded(t, spec, taken) })
	}
	t.Run("what is excused exists", func(t *testing.T) {
		for _, row := range absences(t) {
			mine := slices.ContainsFunc(spec.Walks, func(w collect.Walk) bool { return slices.Contains(w.Operations, row.Operation) })
			if mine && !slices.Contains(excused, row) {
				t.Errorf("absent.tsv excuses what does not happen: %+v", row)
			}
		}
	})
}

// Across tests rules that look at several services' resources, from scenarios with the
// answers of them all. Of what the services collect only the types are made that the
// rules look at; how they are collected is for Wire to test.
func Across(t *testing.T, service check.Service, specs ...collect.Spec) {
	t.Helper()
	var kinds []string
	for _, rule := range service.Rules {
		kinds = append(append(kinds, rule.Kind), rule.Uses...)
	}
	for i := range specs {
		specs[i] = ofKinds(specs[i], kinds)
	}
	var excused []absence
	for _, file := range scenarios(t) {
		s := open(t, service, file, specs...)
		t.Run(s.name, func(t *testing.T) {
			s.golden(t, ".verdicts.tsv", s.table())
			t.Run("mutations", func(t *testing.T) { excused = append(excused, s.mutations(t)...) })
		})
	}
	for _, row := range absences(t) {
		if !slices.Contains(excused, row) {
			t.Errorf("absent.tsv excuses what does not happen: %+v", row)
		}
	}
}

// ofKinds is how only some types of a service are collected.
func ofKinds(spec collect.Spec, kinds []string) collect.Spec {
	spec.Walks = slices.DeleteFunc(slices.Clone(spec.Walks), func(w collect.Walk) bool {
		return !slices.ContainsFunc(w.Kinds, func(kind string) bool { return slices.Contains(kinds, kind) })
	})
	return spec
}

func scenarios(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata (%v)", err)
	}
	return files
}

// Scenario is the cloud of testdata/<name>.txtar, where the answers given, in the same
// form, come first.
func Scenario(t testing.TB, name string, instead ...string) *wire.Cloud {
	t.Helper()
	archive, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var answers []wire.Answer
	for _, text := range append(instead, string(archive)) {
		more, err := wire.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, more...)
	}
	return wire.New(answers)
}

// scenario is an account as a scenario has it.
type scenario struct {
	name       string // of its files, without their endings
	specs      []collect.Spec
	service    check.Service
	answers    []wire.Answer
	operations []string // that collecting it calls
	found      *Found
	verdicts   map[judged]check.Verdict
}

// judged is one check and what it judges.
type judged struct{ check, kind, resource string }

func open(t *testing.T, service check.Service, file string, specs ...collect.Spec) *scenario {
	t.Helper()
	archive, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".txtar")
	specs = tried(t, name, specs)
	s := &scenario{name: name, specs: specs, service: service}
	if s.answers, err = wire.Parse(archive); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	cloud := wire.New(s.answers)
	s.found = walk(t.Context(), cloud.Config(t), specs...)
	s.operations = cloud.Operations()
	s.verdicts = judge(service, s.found)
	return s
}

// tried are the specs for a scenario in which something else than Trust came of trying.
func tried(t *testing.T, name string, specs []collect.Spec) []collect.Spec {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".trust.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return specs
	}
	var trust model.Trust
	if err == nil {
		err = json.Unmarshal(text, &trust)
	}
	if err != nil {
		t.Fatal(err)
	}
	specs = slices.Clone(specs)
	for i := range specs {
		specs[i].Walks = slices.Clone(specs[i].Walks)
		for n, w := range specs[i].Walks {
			specs[i].Walks[n].Run = func(ctx context.Context, s *collect.Session) error {
				s.Trust = &trust
				return w.Run(ctx, s)
			}
		}
	}
	return specs
}

// judge is what the rules of a service say of all that was found. Where the account's
// zone of trust was not collected, it is of an organization, and trusts nobody.
func judge(service check.Service, found *Found) map[judged]check.Verdict {
	verdicts := map[judged]check.Verdict{}
	zone := policyrule.Zone{
		Resource:     model.Resource{Ref: model.Ref{ARN: "arn:aws:cloudarq::" + Account + ":account/zone", Account: Account, Name: Account}},
		Organization: fact.Known("o-exampleorgid"), Buckets: fact.Known([]string{}),
		OriginAccessIdentities: fact.Known([]policyrule.OriginAccessIdentity{}), Trusted: fact.Known([]string{}),
	}
	for _, rule := range service.Rules {
		world := check.NewWorld(rule.Uses...)
		if _, collected := found.Gaps[zone.Kind()]; !collected {
			world.Add(zone)
		}
		for _, r := range found.Resources {
			world.Add(r)
		}
		for kind, gap := range found.Gaps {
			if gap != nil {
				world.AddGap(kind, *gap)
			}
		}
		for _, kind := range found.Elsewhere {
			world.AddElsewhere(kind, Audited())
		}
		judge := check.NewJudge(Now, world)
		for _, r := range found.Resources {
			if r.Kind() == rule.Kind {
				verdicts[judged{string(rule.ID), r.Kind(), r.Reference().String()}] = judge.Judge(rule, r)
			}
		}
	}
	return verdicts
}

func (s *scenario) golden(t *testing.T, ending string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", s.name+ending)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update, and read it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-file +got); -update writes it:\n%s", file, diff)
	}
}

// snapshot is what was collected, in JSON: the gaps of listings, and the resources.
func (s *scenario) snapshot(t *testing.T) []byte {
	t.Helper()
	gaps := map[string]*fact.Gap{}
	for kind, gap := range s.found.Gaps {
		if gap != nil {
			gaps[kind] = gap
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(struct {
		Gaps      map[string]*fact.Gap `json:"gaps,omitempty"`
		Resources map[string]any       `json:"resources"`
	}{gaps, render(t, s.found.Resources)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// table is what the rules say: check, resource, status and reason in a line.
func (s *scenario) table() []byte {
	var lines []string
	for key, v := range s.verdicts {
		lines = append(lines, strings.Join([]string{key.check, key.resource, string(v.Status), v.Reason}, "\t")+"\n")
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}

// mutations changes each part of each answer, and returns the excuses that were needed.
func (s *scenario) mutations(t *testing.T) []absence {
	t.Helper()
	var excused []absence
	known := absences(t)
	tried, turned, fields := 0, 0, map[string]bool{}
	for i, a := range s.answers {
		operation := s.operation(t, a)
		if operation == "" || a.Status >= 300 || len(a.Body) == 0 {
			continue
		}
		err := wire.Mutate(a.Body, func(m wire.Mutation) bool {
			tried++
			fields[operation+" "+m.Path] = true
			answers := slices.Clone(s.answers)
			answers[i].Body = m.Body
			for key, status := range s.turned(s.again(t, operation, answers)) {
				if status == check.Fail && !m.Flag {
					continue // what else is absent is most often not there
				}
				row, found := excuse(known, operation, m)
				if !found {
					turned++
					t.Errorf("%s: %s %s makes %s of %s %s", operation, m.Path, m.Change, key.check, key.resource, status)
				} else {
					excused = append(excused, row)
				}
			}
			return true
		})
		if err != nil {
			t.Errorf("%s: %v", operation, err)
		}
	}
	t.Logf("%d fields, %d mutations, %d verdicts turned", len(fields), tried, turned)
	return excused
}

// operation is the full name of the operation that an answer is for; empty if nothing
// calls it.
func (s *scenario) operation(t *testing.T, a wire.Answer) string {
	t.Helper()
	var names []string
	for _, name := range s.operations {
		service, operation, _ := strings.Cut(name, ".")
		if operation == a.Operation && (a.Service == "" || a.Service == service) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		t.Fatalf("%s: the answer to %s must name one of %q", s.name, a, names)
		return ""
	}
}

// again is what is found when an operation is answered otherwise: only walks that call
// it are made again.
func (s *scenario) again(t *testing.T, operation string, answers []wire.Answer) *Found {
	t.Helper()
	var specs []collect.Spec
	for _, spec := range s.specs {
		spec.Walks = slices.DeleteFunc(slices.Clone(spec.Walks), func(w collect.Walk) bool { return !slices.Contains(w.Operations, operation) })
		specs = append(specs, spec)
	}
	cloud := wire.New(answers)
	cloud.Incomplete = true
	found := walk(t.Context(), cloud.Config(t), specs...)
	for _, r := range s.found.Resources {
		if _, anew := found.Gaps[r.Kind()]; !anew {
			found.Resources = append(found.Resources, r)
		}
	}
	for kind, gap := range s.found.Gaps {
		if _, anew := found.Gaps[kind]; !anew {
			found.Gaps[kind] = gap
		}
	}
	return found
}

// turned are the verdicts of PASS where there was another one before, and those of FAIL
// where there was PASS. A resource that goes by another name now is still the one that was.
func (s *scenario) turned(found *Found) map[judged]check.Status {
	verdicts := judge(s.service, found)
	was, is := names(s.found), names(found)
	formerly := func(kind, resource string) string {
		lost, added := without(was[kind], is[kind]), without(is[kind], was[kind])
		if len(lost) == 1 && len(added) == 1 && added[0] == resource {
			return lost[0]
		}
		return resource
	}
	turned := map[judged]check.Status{}
	for key, v := range verdicts {
		before := key
		before.resource = formerly(key.kind, key.resource)
		if old, known := s.verdicts[before]; known && old.Status != v.Status &&
			(v.Status == check.Pass || v.Status == check.Fail && old.Status == check.Pass) {
			turned[before] = v.Status
		}
	}
	return turned
}

func names(f *Found) map[string][]string {
	all := map[string][]string{}
	for _, r := range f.Resources {
		all[r.Kind()] = append(all[r.Kind()], r.Reference().String())
	}
	return all
}

func without(names, other []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(other, n) })
}
