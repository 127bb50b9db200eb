package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestHistories lets an account, the rules and the machinery change at random, and
// holds what becomes of findings and alerts to a model that knows no more than what each
// audit was shown.
//
// The account has gates and watchmen in its regions, and trees in a garden that one
// listing has all of. Audits are narrowed, denied, cut short, handed on, cancelled, late
// and taken up again; checks come, go, are renamed and become graver, also in the middle
// of an audit; processes die and messages come twice, in any order.
func TestHistories(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := newDir(root)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		newHistory(t, rt, dir).run()
	})
}

// gate, watchman and tree are what the account has.
type gate struct {
	model.Resource
	Lock  fact.Of[string] `json:"lock"`
	Paint fact.Of[bool]   `json:"paint"`
}

func (gate) Kind() string { return "Test::Yard::Gate" }

type watchman struct {
	model.Resource
	Awake fact.Of[bool] `json:"awake"`
}

func (watchman) Kind() string { return "Test::Yard::Watchman" }

type tree struct {
	model.Resource
	Pruned fact.Of[bool] `json:"pruned"`
}

func (tree) Kind() string { return "Test::Garden::Tree" }

// edition is a version of the rules. Its numbers are how often a check was renamed.
type edition struct {
	locked, guarded int
	painted         bool // the check exists
	severity        model.Severity
}

func (e edition) id(name string) model.CheckID {
	n := map[string]int{"locked": e.locked, "guarded": e.guarded}[name]
	if name == "pruned" {
		return "tree-pruned"
	}
	if n == 0 {
		return model.CheckID("gate-" + name)
	}
	return model.CheckID(fmt.Sprintf("gate-%s-%d", name, n))
}

// name is a check's, whatever its id was.
func checkName(id model.CheckID) string { return strings.Split(string(id), "-")[1] }

func (e edition) checks() []string {
	if e.painted {
		return []string{"locked", "painted", "guarded", "pruned"}
	}
	return []string{"locked", "guarded", "pruned"}
}

func scopeOfCheck(name string) string {
	return map[string]string{"locked": "yard", "painted": "yard", "guarded": "across", "pruned": "garden"}[name]
}

func kindOfCheck(name string) string {
	if name == "pruned" {
		return "tree"
	}
	return "gate"
}

func (e edition) catalog() *check.Catalog {
	former := func(name string, n int) (ids []model.CheckID) {
		for i := range n {
			ids = append(ids, edition{locked: i, guarded: i}.id(name))
		}
		return ids
	}
	rules := []check.Rule{
		check.For(e.id("locked"), e.severity, func(ev *check.Evidence, g gate) check.Verdict {
			if lock := check.Read(ev, g.Lock); lock != "shut" {
				return check.Failed("it is " + lock)
			}
			return check.Passed("it is shut")
		}).Formerly(former("locked", e.locked)...),
		check.Across(e.id("guarded"), model.High, func(ev *check.Evidence, _ gate) check.Verdict {
			for _, w := range check.All[watchman](ev) {
				if check.Read(ev, w.Awake) {
					return check.Passed("somebody is awake")
				}
			}
			return check.Failed("nobody is awake")
		}, check.Using[watchman]()).Formerly(former("guarded", e.guarded)...),
	}
	if e.painted {
		rules = append(rules, check.For(e.id("painted"), model.Low, func(ev *check.Evidence, g gate) check.Verdict {
			return check.Must(check.Read(ev, g.Paint), "it is painted", "it is bare")
		}))
	}
	garden := []check.Rule{check.For("tree-pruned", model.Medium, func(ev *check.Evidence, t tree) check.Verdict {
		return check.Must(check.Read(ev, t.Pruned), "it is pruned", "it is wild")
	})}
	text := func(rules []check.Rule) []byte {
		all := ""
		for _, r := range rules {
			all += string(r.ID) + `: {title: All is well, pillar: security, risk: Thieves., remediation: {console: Mend it.}, references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}` + "\n"
		}
		return []byte(all)
	}
	c, err := check.NewCatalog(
		check.Service{Name: "yard", Title: "Yard", Texts: text(rules), Kinds: []check.Kind{check.KindOf[gate](), check.KindOf[watchman]()}, Rules: rules},
		check.Service{Name: "garden", Title: "Garden", Texts: text(garden), Kinds: []check.Kind{check.KindOf[tree]()}, Rules: garden},
	)
	if err != nil {
		panic(err)
	}
	return c
}

// ends are how a listing ends.
type ends int

const (
	whole ends = iota
	refused
	brokenOff
)

// looks is what is seen of a gate or a tree.
type looks struct{ lock, paint string } // "" is gone or, of a gate that has the other, hidden

// estate is the account as it is now.
type estate struct {
	gates  map[string]looks // by region/name
	awake  map[string]bool  // watchmen by region
	trees  map[string]looks
	ends   map[string]ends // of listings, by kind/region
	closed map[string]bool // services that the account is not opened for
	budget int             // how much a walk may read before it has to hand on; 0 is all
}

var everywhere = []string{"eu-west-1", "us-east-1", "ap-south-1"}

func (w *estate) shown(kind, region string, all map[string]looks) (names []string, err error) {
	for name := range all {
		if strings.HasPrefix(name, region+"/") || region == model.Global {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch w.ends[kind+"/"+region] {
	case refused:
		return nil, errDenied
	case brokenOff:
		return names[:len(names)/2], errDenied
	case whole:
	}
	return names, nil
}

func missing[T any](known bool, v T) fact.Of[T] {
	if !known {
		return fact.Missing[T](fact.Denied, "yard:Look")
	}
	return fact.Known(v)
}

// walk reads what is shown, a budget's worth at a time where there is one.
func walkOver[R check.Resource](ctx context.Context, w *estate, s *collect.Session, names []string, failed error, build func(name string) *R) error {
	var mu sync.Mutex
	read, left := 0, false
	err := collect.EachOf(ctx, s, names, func(_ *collect.Reading, name string) *R {
		mu.Lock()
		defer mu.Unlock()
		if w.budget > 0 && read >= w.budget {
			left = true
			return nil
		}
		read++
		return build(name)
	})
	if left {
		return collect.ErrStopped
	}
	return errors.Join(err, failed)
}

func (w *estate) specs() map[string]collect.Spec {
	return map[string]collect.Spec{
		"yard": {Service: "yard", Walks: []collect.Walk{
			{Kinds: []string{gate{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
				names, err := w.shown("gate", s.Region, w.gates)
				return walkOver(ctx, w, s, names, err, func(name string) *gate {
					l := w.gates[name]
					return &gate{Resource: s.Resource(s.ARN("yard", "gate/"+name), name), Lock: missing(l.lock != "", l.lock), Paint: missing(l.paint != "", l.paint == "fresh")}
				})
			}},
			{Kinds: []string{watchman{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
				_, err := w.shown("watchman", s.Region, nil)
				if err != nil {
					return err
				}
				return walkOver(ctx, w, s, []string{s.Region}, nil, func(name string) *watchman {
					return &watchman{Resource: s.Resource(s.ARN("yard", "watchman"), name), Awake: fact.Known(w.awake[s.Region])}
				})
			}},
		}},
		"garden": {Service: "garden", Global: true, Walks: []collect.Walk{{Kinds: []string{tree{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
			names, err := w.shown("tree", model.Global, w.trees)
			names = slices.DeleteFunc(names, func(name string) bool { return !s.Audits(strings.Split(name, "/")[0]) })
			return walkOver(ctx, w, s, names, err, func(name string) *tree {
				t := tree{Resource: s.Resource("arn:aws:garden:::"+name, name), Pruned: missing(w.trees[name].lock != "hidden", w.trees[name].lock == "shut")}
				t.Region = strings.Split(name, "/")[0]
				return &t
			})
		}}}},
	}
}

// Open implements pipeline.Accounts.
func (w *estate) Open(_ context.Context, _ model.OrganizationID, _ model.Audit, _ policy.Session, _ ledger.Ledger) (pipeline.Account, error) {
	return w, nil
}

// Verify implements pipeline.Accounts.
func (w *estate) Verify(context.Context, model.OrganizationID, model.Audit, pipeline.Account, ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{}, nil
}

// Identity implements pipeline.Account.
func (w *estate) Identity() model.Identity {
	return model.Identity{Account: account, Partition: "aws", CallerARN: "arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq"}
}

// Regions implements pipeline.Account.
func (w *estate) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return everywhere, nil, nil
}

// Config implements pipeline.Account.
func (w *estate) Config(region string, _ ledger.Ledger) aws.Config { return aws.Config{Region: region} }

// HomeRegion implements pipeline.Account.
func (w *estate) HomeRegion() string { return "us-east-1" }

// snapshot is what an audit was shown of the account by one service, and the checks that
// were there to judge it.
type snapshot struct {
	checks  []string
	regions []string
	gates   map[string]looks // shown
	trees   map[string]looks
	ends    map[string]ends
	awake   bool // in any region
}

func (w *estate) snapshot(regions, checks []string) snapshot {
	s := snapshot{checks: checks, regions: regions, gates: map[string]looks{}, trees: map[string]looks{}, ends: maps.Clone(w.ends)}
	for _, region := range regions {
		names, _ := w.shown("gate", region, w.gates)
		for _, name := range names {
			s.gates[name] = w.gates[name]
		}
		s.awake = s.awake || w.awake[region]
	}
	names, _ := w.shown("tree", model.Global, w.trees)
	for _, name := range names {
		s.trees[name] = w.trees[name]
	}
	return s
}

// read reports whether an audit read a type of resource: whether a check of it was asked
// for, and known to whoever collected.
func (s snapshot) read(a model.Audit, kind string) bool {
	return slices.ContainsFunc(a.Checks, func(id model.CheckID) bool {
		name := checkName(id)
		return kindOfCheck(name) == kind && slices.Contains(s.checks, name)
	})
}

// passedOver reports whether an audit read resources that a check should have judged, and
// whoever collected did not know the check.
func (s snapshot) passedOver(a model.Audit, name string) bool {
	return !slices.Contains(s.checks, name) && s.read(a, "gate") && len(s.gates) > 0
}

// sees is what an audit positively says of a check and a resource.
type sees struct {
	what   string // "fail", "pass", "gone", "blind" or "" for nothing
	reason string
}

// sees is the model of a whole audit of one resource.
func (s snapshot) sees(a model.Audit, name, resource string) sees {
	region := strings.Split(resource, "/")[0]
	if !slices.Contains(s.regions, region) {
		return sees{}
	}
	kind, at, all := kindOfCheck(name), region, s.gates
	if kind == "tree" {
		at, all = model.Global, s.trees
	}
	l, shown := all[resource]
	switch {
	case !s.read(a, kind):
		return sees{}
	case !shown && s.ends[kind+"/"+at] != whole:
		return sees{what: "blind"}
	case !shown:
		return sees{what: "gone"}
	case s.passedOver(a, name):
		return sees{}
	case name == "guarded":
		for _, r := range s.regions {
			if s.ends["watchman/"+r] != whole {
				return sees{what: "blind"}
			}
		}
		switch {
		case a.Narrowed:
			return sees{}
		case s.awake:
			return sees{what: "pass"}
		}
		return sees{"fail", "nobody is awake"}
	case name == "painted" && l.paint == "", name == "locked" && l.lock == "", name == "pruned" && l.lock == "hidden":
		return sees{what: "blind"}
	case name == "painted" && l.paint == "fresh", name != "painted" && l.lock == "shut":
		return sees{what: "pass"}
	case name == "painted":
		return sees{"fail", "it is bare"}
	case name == "pruned":
		return sees{"fail", "it is wild"}
	}
	return sees{"fail", "it is " + l.lock}
}

// turn is an event of a finding's life, as the model has it.
type turn struct {
	Audit model.AuditID
	Try   int
	What  model.EventKind
	news  bool
}

// expected is a finding as the model has it.
type expected struct {
	Open   bool
	Why    string
	Blind  bool
	Reason string
	Turns  []turn
}

type subjectOf struct{ check, resource string }

// lifetimes is the model, and the machinery that is held to it.
type lifetimes struct {
	*machine
	t       *testing.T
	rt      *rapid.T
	w       *estate
	mortal  *mortal
	sns     *unsteady
	edition edition

	known   map[subjectOf]*expected
	looked  map[string]map[string]bool        // by scope: which check looked at which region
	taken   map[string]map[model.AuditID]bool // by scope: audits that were taken in
	began   map[string]time.Time              // by scope: the newest of them
	applied map[string]bool
	shown   map[model.AuditID]map[string]snapshot // by service
	begun   []model.AuditID
	late    []queue.Message
	holding bool // results are held back
	dieHold bool // from the next death on
	unnoted int  // deaths between publishing and noting
	dead    int
}

// unsteady is a notifier that fails now and then, and says what it was given.
type unsteady struct {
	*ears
	fails int
}

func (u *unsteady) Publish(ctx context.Context, messages ...notify.Message) error {
	if u.fails > 0 {
		u.fails--
		return errSNS
	}
	return u.ears.Publish(ctx, messages...)
}

func newHistory(t *testing.T, rt *rapid.T, dir string) *lifetimes {
	w := &estate{gates: map[string]looks{}, trees: map[string]looks{}, awake: map[string]bool{}, ends: map[string]ends{}, closed: map[string]bool{}}
	m := newMachine(t, dir, &world{}, memory.Options{
		MaxReceives: 20,
		Pick:        func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") },
		Twice: func(_ string, d queue.Message) bool {
			return d.Attempt < 3 && rapid.IntRange(0, 3).Draw(rt, "twice") == 0
		},
	})
	h := &lifetimes{
		machine: m, t: t, rt: rt, w: w, mortal: &mortal{}, sns: &unsteady{ears: m.alerts}, edition: edition{severity: model.High},
		known: map[subjectOf]*expected{}, looked: map[string]map[string]bool{}, taken: map[string]map[model.AuditID]bool{},
		began: map[string]time.Time{}, applied: map[string]bool{}, shown: map[model.AuditID]map[string]snapshot{},
	}
	m.LeaseFor, m.KeepDetail, m.Bound = time.Minute, 1000*24*time.Hour, 1000*24*time.Hour
	m.Accounts, m.Specs = w, w.specs()
	m.Evidence = mortalBlobs{m.Evidence, h.mortal}
	m.Tasks, m.Results = mortalQueue{m.tasks, "tasks", h.mortal}, mortalQueue{m.results, "results", h.mortal}
	m.Alerts = mortalEars{h.sns, h.mortal}
	h.publish(h.edition)
	return h
}

// publish makes an edition of the rules the one that is in force.
func (h *lifetimes) publish(e edition) {
	h.edition = e
	h.Catalog = e.catalog()
	h.Store = store.New(mortalTable{h.table, h.mortal}, h.Catalog.Severity)
	h.records = store.New(h.table, h.Catalog.Severity).For(organization)
}

func (h *lifetimes) chance(one int, what string) bool {
	return rapid.IntRange(0, one-1).Draw(h.rt, what) == 1
}

func (h *lifetimes) must(err error, what string, args ...any) {
	if err != nil {
		h.rt.Fatalf("%s: %v", fmt.Sprintf(what, args...), err)
	}
}

func (h *lifetimes) run() {
	c := model.Connection{ID: account, AccountID: account, State: model.ConnectionActive}
	h.must(h.records.PutConnection(h.t.Context(), &c), "connection")
	for range rapid.IntRange(2, 6).Draw(h.rt, "audits") {
		h.change()
		h.step()
	}
	h.deliverLate()
	// What is still to be announced is announced by the next audit.
	h.w.ends, h.w.closed, h.w.budget, h.sns.fails = map[string]ends{}, map[string]bool{}, 0, 0
	a := h.plan(false, everywhere, h.edition.checks(), nil)
	h.see(a)
	h.calm(a, true)
	h.heardAll()
	h.markers()
}

// change lets the account change, and sometimes the rules.
func (h *lifetimes) change() {
	many := h.chance(4, "many")
	for _, region := range everywhere {
		names := 2
		if many {
			names = 12
		}
		for i := range names {
			name := fmt.Sprintf("%s/%02d", region, i)
			if i < 2 || h.chance(2, "touch") {
				switch lock := rapid.SampledFrom([]string{"gone", "shut", "open", "ajar", ""}).Draw(h.rt, name); lock {
				case "gone":
					delete(h.w.gates, name)
				default:
					h.w.gates[name] = looks{lock, rapid.SampledFrom([]string{"fresh", "bare", ""}).Draw(h.rt, "paint")}
				}
			}
			if i < 2 {
				switch lock := rapid.SampledFrom([]string{"gone", "shut", "open", "hidden"}).Draw(h.rt, "tree "+name); lock {
				case "gone":
					delete(h.w.trees, name)
				default:
					h.w.trees[name] = looks{lock: lock}
				}
			}
		}
		h.w.awake[region] = h.chance(3, "awake")
	}
	h.w.ends = map[string]ends{}
	for _, listing := range []string{"gate", "watchman", "tree"} {
		for _, region := range append(slices.Clone(everywhere), model.Global) {
			if h.chance(6, "ends "+listing) {
				h.w.ends[listing+"/"+region] = rapid.SampledFrom([]ends{refused, brokenOff}).Draw(h.rt, "how")
			}
		}
	}
	h.w.budget, h.ContinueFor = 0, 0
	if h.chance(4, "handed on") {
		h.w.budget, h.ContinueFor = rapid.IntRange(1, 4).Draw(h.rt, "budget"), 1000*24*time.Hour
	}
}

// upgrade puts another edition of the rules in force, sometimes.
func (h *lifetimes) upgrade(when string) {
	if !h.chance(6, "upgrade "+when) {
		return
	}
	e := h.edition
	switch rapid.IntRange(0, 3).Draw(h.rt, "how") {
	case 0:
		e.locked++
	case 1:
		e.guarded++
	case 2:
		e.painted = !e.painted
	case 3:
		e.severity = rapid.SampledFrom([]model.Severity{model.Low, model.High, model.Critical}).Draw(h.rt, "severity")
	}
	h.publish(e)
}

func some(rt *rapid.T, all []string, what string) []string {
	if rapid.IntRange(0, 2).Draw(rt, "narrow "+what) > 0 {
		return all
	}
	var few []string
	for _, one := range all {
		if rapid.Bool().Draw(rt, one) {
			few = append(few, one)
		}
	}
	if len(few) == 0 {
		return all[:1]
	}
	return few
}

// plan begins an audit.
func (h *lifetimes) plan(connects bool, regions, checks, services []string) model.Audit {
	r := h.request()
	r.Regions, r.Narrowed, r.Services = regions, len(regions) < len(everywhere), services
	var ids []string
	for _, name := range checks {
		ids = append(ids, string(h.edition.id(name)))
	}
	var err error
	r.Checks, err = h.Catalog.Select(ids)
	h.must(err, "select")
	if _, err := pipeline.Resolve(h.Catalog, r.Checks, r.Services); err != nil {
		r.Services = nil
	}
	for try := 0; ; try++ {
		if connects {
			_, err = h.Begin(h.t.Context(), r)
		} else {
			_, err = h.Plan(h.t.Context(), r)
		}
		if !h.revive() {
			break
		}
	}
	h.must(err, "begin")
	h.begun = append(h.begun, r.Audit)
	h.shown[r.Audit] = map[string]snapshot{}
	return h.read(r.Audit)
}

func (h *lifetimes) read(id model.AuditID) model.Audit {
	a, err := h.records.Audit(h.t.Context(), account, id)
	h.must(err, "read %s", id)
	return a
}

// revive starts the process again if it died.
func (h *lifetimes) revive() bool {
	if !h.mortal.restart() {
		return false
	}
	what := h.mortal.killed()
	if what == "publish" && h.mortal.after || strings.Contains(what, "SCOPE") && !h.mortal.after {
		h.unnoted++
	}
	h.dead++
	h.mortal.at = 0
	h.now = h.now.Add(2 * time.Minute)
	return true
}

func (h *lifetimes) arm() {
	if h.chance(2, "dies") {
		h.mortal.at = len(h.mortal.effects) + rapid.IntRange(1, 40).Draw(h.rt, "at")
		h.mortal.after = rapid.Bool().Draw(h.rt, "after")
	}
}

func (h *lifetimes) task(ctx context.Context, message queue.Message) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	defer h.revive()
	m, err := pipeline.ParseMessage(pipeline.KindTask, message.Body)
	h.must(err, "message")
	if h.w.closed[strings.Split(string(m.Task), "~")[0]] {
		return h.Abandon(ctx, message.Body, "the account is closed")
	}
	// What a service is shown, it is shown once: the account does not change meanwhile.
	if err := h.RunTask(ctx, message); err != nil {
		return err
	}
	return nil
}

func (h *lifetimes) result(ctx context.Context, message queue.Message) error {
	if h.holding {
		h.late = append(h.late, message)
		return nil
	}
	err := h.Ingest(ctx, message)
	if h.revive() && h.dieHold {
		h.holding = true
		h.late = append(h.late, message)
		return nil
	}
	return err
}

func (h *lifetimes) drainAll() {
	h.must(h.broker.Walk(h.t.Context(), memory.Worker{Queue: h.tasks, Handle: h.task}, memory.Worker{Queue: h.results, Handle: h.result}), "walk")
}

// see notes what an audit's open tasks are about to be shown.
func (h *lifetimes) see(a model.Audit) {
	tasks, err := h.records.Tasks(h.t.Context(), a.ID)
	h.must(err, "tasks")
	state := map[string]model.TaskState{}
	for _, t := range tasks {
		if t.Of == "" {
			state[t.Service] = t.State
		}
	}
	for _, service := range a.Services {
		if s, planned := state[service]; !planned || s == model.TaskOpen {
			h.shown[a.ID][service] = h.w.snapshot(a.Regions, h.edition.checks())
		}
	}
}

func (h *lifetimes) step() {
	h.upgrade("before")
	regions, checks := some(h.rt, everywhere, "regions"), some(h.rt, h.edition.checks(), "checks")
	var services []string
	if h.chance(4, "services") {
		services = []string{rapid.SampledFrom([]string{"yard", "garden"}).Draw(h.rt, "service")}
	}
	h.w.closed = map[string]bool{}
	if h.chance(6, "closed") {
		h.w.closed[rapid.SampledFrom([]string{"yard", "garden"}).Draw(h.rt, "closed service")] = true
	}
	connects := h.chance(3, "connects")
	if h.chance(3, "dies early") {
		h.arm()
	}
	a := h.plan(connects, regions, checks, services)
	h.upgrade("planned")
	h.see(a) // by the edition that collects
	how := rapid.SampledFrom([]string{"calm", "calm", "late", "cancelled", "dies and waits", "unheard", "expired"}).Draw(h.rt, "how")
	h.arm()
	switch how {
	case "calm":
		h.sns.fails = rapid.IntRange(0, 3).Draw(h.rt, "SNS fails")
		h.calm(a, len(h.w.closed) == 0)
	case "late":
		h.holding = true
		h.drainAll()
		h.upgrade("collected")
		h.holding = false
	case "cancelled":
		for range rapid.IntRange(0, 4).Draw(h.rt, "steps") {
			_, err := h.broker.Step(h.t.Context(), memory.Worker{Queue: h.tasks, Handle: h.task}, memory.Worker{Queue: h.results, Handle: h.result})
			h.must(err, "step")
		}
		h.mortal.at = 0
		h.must(h.Stop(h.t.Context(), model.Change{}, organization, account, a.ID, model.AuditCancelled, "enough"), "stop")
		h.drainAll()
	case "dies and waits":
		h.dieHold = true
		h.drainAll()
		h.dieHold, h.holding = false, false
	case "expired":
		// What parts did not read is no gap that the model knows.
		if h.w.budget == 0 {
			for range rapid.IntRange(0, 6).Draw(h.rt, "steps") {
				_, err := h.broker.Step(h.t.Context(), memory.Worker{Queue: h.tasks, Handle: h.task}, memory.Worker{Queue: h.results, Handle: h.result})
				h.must(err, "step")
			}
			h.expire(a.ID)
		}
		h.drainAll()
		if h.mortal.at = 0; !h.read(a.ID).State.Ended() {
			h.expire(a.ID)
		}
		if a := h.read(a.ID); !a.State.Ended() {
			h.rt.Fatalf("audit %s is %s after its time was over twice: %s", a.ID, a.State, h.open(a.ID))
		}
	case "unheard":
		h.sns.fails = 1000
		h.drainAll()
		h.sns.fails = 0
	}
	h.mortal.at = 0
	h.sns.fails = 0
	h.settle(a.ID)
	if a = h.read(a.ID); (a.State == model.AuditPartial || a.State == model.AuditCancelled) && h.chance(2, "again") {
		if !h.inParts(a) { // what two parts saw of two accounts, no model knows
			h.change()
		}
		h.w.closed = map[string]bool{}
		if a.State == model.AuditCancelled && len(h.late) > 0 {
			h.deliverLate()
		}
		h.again(a)
	}
	if h.chance(3, "late ones come") {
		h.deliverLate()
	}
}

// inParts reports whether a service of an audit was read in part.
func (h *lifetimes) inParts(a model.Audit) bool {
	tasks, err := h.records.Tasks(h.t.Context(), a.ID)
	h.must(err, "tasks")
	return slices.ContainsFunc(tasks, func(t model.Task) bool { return t.Of != "" || len(t.Next) > 0 })
}

// again takes an audit up again.
func (h *lifetimes) again(a model.Audit) {
	tasks, err := h.records.Tasks(h.t.Context(), a.ID)
	h.must(err, "tasks")
	for _, t := range tasks {
		if t.Of == "" && slices.Contains(a.Services, t.Service) && (t.State == model.TaskFailed || t.State == model.TaskOpen) {
			h.shown[a.ID][t.Service] = h.w.snapshot(a.Regions, h.edition.checks())
		}
	}
	a, err = h.Resume(h.t.Context(), model.Change{}, organization, a)
	h.must(err, "resume")
	if a.State == model.AuditConnecting {
		h.see(a)
	}
	h.arm()
	h.calm(a, true)
	h.mortal.at = 0
}

// calm lets an audit come to its end.
func (h *lifetimes) calm(a model.Audit, fine bool) {
	h.drainAll()
	h.mortal.at = 0
	h.settle(a.ID)
	a = h.read(a.ID)
	if !a.State.Ended() || fine && a.State != model.AuditDone {
		h.rt.Fatalf("audit %s is %s: %v; dead letters %v %v\n%s", a.ID, a.State, a.Problems, h.tasks.Dead(), h.results.Dead(), h.open(a.ID))
	}
	for _, scope := range h.scopes(a) {
		r, err := h.records.Scope(h.t.Context(), account, scope)
		h.must(err, "scope")
		if failed := h.w.closed[scope]; !r.Done && !failed {
			h.rt.Fatalf("scope %s is not done after %s: %+v", scope, a.ID, r)
		}
	}
}

func (h *lifetimes) scopes(a model.Audit) []string { return append(slices.Clone(a.Services), "across") }

// deliverLate brings the results that were held back, in any order.
func (h *lifetimes) deliverLate() {
	late := h.late
	h.late = nil
	audits := map[model.AuditID]bool{}
	for len(late) > 0 {
		i := rapid.IntRange(0, len(late)-1).Draw(h.rt, "which")
		message := late[i]
		late = slices.Delete(late, i, i+1)
		m, err := pipeline.ParseMessage(pipeline.KindResult, message.Body)
		h.must(err, "message")
		audits[m.Audit] = true
		for try := 0; ; try++ {
			err := h.Ingest(h.t.Context(), queue.Message{ID: message.ID, Body: message.Body, Attempt: 1, Max: 20})
			if err == nil {
				break
			}
			if h.now = h.now.Add(2 * time.Minute); try > 5 {
				h.rt.Fatalf("a late result of %s: %v", m.Audit, err)
			}
		}
		h.settle(m.Audit)
	}
	h.drainAll()
	for id := range audits {
		h.settle(id)
		if a := h.read(id); !a.State.Ended() {
			h.rt.Fatalf("the late audit %s is %s", id, a.State)
		}
	}
}

// settle lets the model follow an audit as far as the scopes' records say that it came,
// and holds the findings to it.
func (h *lifetimes) settle(id model.AuditID) {
	a := h.read(id)
	findings := h.stored()
	for _, scope := range h.scopes(a) {
		r, err := h.records.Scope(h.t.Context(), account, scope)
		h.must(err, "scope")
		try := a.Retries
		if r.Audit == id {
			try = r.Try
		}
		h.follow(scope, a, try, r.Audit == id, r.Audit == id && r.Done, findings)
	}
	got := map[subjectOf]expected{}
	for at, f := range findings {
		e := expected{Open: f.State.Open(), Why: f.Why, Blind: !f.BlindSince.IsZero(), Reason: f.Reason}
		for _, event := range f.History {
			e.Turns = append(e.Turns, turn{Audit: event.Audit, Try: event.Try, What: event.What})
		}
		got[at] = e
		if c, exists := h.Catalog.Check(f.Check); exists && c.Severity != f.Severity {
			h.rt.Fatalf("finding %v is %s, the catalogue says %s", at, f.Severity, c.Severity)
		}
	}
	want := map[subjectOf]expected{}
	for at, e := range h.known {
		copied := *e
		copied.Turns = slices.Clone(e.Turns)
		for i := range copied.Turns {
			copied.Turns[i].news = false
		}
		want[at] = copied
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(subjectOf{}, turn{})); diff != "" {
		h.rt.Fatalf("after %s (%s, try %d, edition %+v), findings (-want +got):\n%s", a.ID, a.State, a.Retries, h.edition, diff)
	}
}

func (h *lifetimes) stored() map[subjectOf]model.Finding {
	all := map[subjectOf]model.Finding{}
	for _, scope := range []string{"yard", "garden", "across"} {
		found, err := h.records.Findings(h.t.Context(), account, scope)
		h.must(err, "findings")
		for _, f := range found {
			at := subjectOf{checkName(f.Check), f.Resource.Name}
			if before, twice := all[at]; twice {
				// Whoever renames it may have died in between.
				if _, renamed := h.Catalog.Successor(before.Check); !renamed {
					if _, renamed = h.Catalog.Successor(f.Check); renamed {
						continue
					}
					h.rt.Fatalf("two findings of %v: %s and %s", at, before.Check, f.Check)
				}
			}
			all[at] = f
		}
	}
	return all
}

// follow applies what an audit was shown to a scope of the model: all of it, or where
// the scope was not done, what was written. The scope's record says whether the audit has
// begun it, and is done.
func (h *lifetimes) follow(scope string, a model.Audit, try int, begun, done bool, stored map[subjectOf]model.Finding) {
	key := fmt.Sprintf("%s %s %d", scope, a.ID, try)
	if h.applied[key] || a.StartedAt.Before(h.began[scope]) {
		return
	}
	service := map[string]string{"yard": "yard", "across": "yard", "garden": "garden"}[scope]
	shot, shown := h.shown[a.ID][service]
	if scope == "across" { // it knows only what the service's task came to
		t, err := h.records.Task(h.t.Context(), a.ID, model.TaskID(service))
		shown = shown && err == nil && t.State != model.TaskFailed
	}
	// Whoever begins or ends a scope without a check forgets that it looked, also if the
	// other of the two never comes.
	if begins := key + " begins"; begun && !h.applied[begins] {
		h.applied[begins] = true
		h.forget(scope)
	}
	asked := map[string]bool{}
	for _, id := range a.Checks {
		asked[checkName(id)] = true
	}
	first := true
	for other := range h.taken[scope] {
		first = first && other == a.ID
	}
	subjects := map[subjectOf]bool{}
	for at := range h.known {
		subjects[at] = true
	}
	for resource := range shot.gates {
		for _, name := range []string{"locked", "painted", "guarded"} {
			subjects[subjectOf{name, resource}] = true
		}
	}
	for resource := range shot.trees {
		subjects[subjectOf{"pruned", resource}] = true
	}
	for at := range subjects {
		if scopeOfCheck(at.check) != scope || h.applied[key+fmt.Sprint(at)] {
			continue
		}
		if !done {
			last, _ := stored[at].Last()
			if last.Audit != a.ID || last.Try != try {
				continue
			}
		}
		h.applied[key+fmt.Sprint(at)] = true
		exists := slices.Contains(h.edition.checks(), at.check)
		var s sees
		if shown && asked[at.check] && exists {
			s = shot.sees(a, at.check, at.resource)
		}
		byRules := !h.looked[scope][at.check+" "+strings.Split(at.resource, "/")[0]]
		e := h.known[at]
		happens := func(what model.EventKind, news bool) {
			e.Turns = append(e.Turns, turn{a.ID, try, what, news && !first && !byRules})
		}
		switch {
		case e == nil && s.what == "fail":
			e = &expected{Open: true, Reason: s.reason}
			h.known[at] = e
			happens(model.EventNew, true)
		case e == nil:
		case !exists && e.Open:
			e.Open, e.Why, e.Blind = false, model.WhyRetired, false
			happens(model.EventResolved, false)
		case s.what == "fail" && !e.Open:
			e.Open, e.Why, e.Blind, e.Reason = true, "", false, s.reason
			happens(model.EventReopened, true)
		case s.what == "fail" && e.Blind:
			e.Blind, e.Reason = false, s.reason
			happens(model.EventSeen, false)
		case s.what == "fail" && e.Reason != s.reason:
			e.Reason = s.reason
			happens(model.EventChanged, false)
		case !e.Open:
		case s.what == "pass" || s.what == "gone":
			e.Open, e.Blind, e.Why = false, false, map[string]string{"pass": model.WhyFixed, "gone": model.WhyGone}[s.what]
			happens(model.EventResolved, true)
		case s.what == "blind" && !e.Blind:
			e.Blind = true
			happens(model.EventBlind, true)
		}
	}
	if !done {
		return
	}
	h.applied[key] = true
	if h.taken[scope] == nil {
		h.taken[scope], h.looked[scope] = map[model.AuditID]bool{}, map[string]bool{}
	}
	h.taken[scope][a.ID], h.began[scope] = true, a.StartedAt
	h.forget(scope)
	for name := range asked {
		for _, region := range a.Regions {
			if slices.Contains(h.edition.checks(), name) && !shot.passedOver(a, name) {
				h.looked[scope][name+" "+region] = true
			}
		}
	}
}

// forget drops the looks of a check that does not exist.
func (h *lifetimes) forget(scope string) {
	if !slices.Contains(h.edition.checks(), "painted") {
		maps.DeleteFunc(h.looked[scope], func(look string, _ bool) bool { return strings.HasPrefix(look, "painted ") })
	}
}

// heardAll: each change of the account was announced once, alone or with others.
func (h *lifetimes) heardAll() {
	want := map[string]int{} // by audit, try, scope: how many
	single := map[string]int{}
	for at, e := range h.known {
		for _, t := range e.Turns {
			if t.news {
				want[fmt.Sprintf("%s %d %s", t.Audit, t.Try, scopeOfCheck(at.check))]++
			}
		}
	}
	for at, e := range h.known {
		for _, t := range e.Turns {
			if t.news && want[fmt.Sprintf("%s %d %s", t.Audit, t.Try, scopeOfCheck(at.check))] <= alert.Limit {
				single[fmt.Sprintf("%s %s %s %s", t.Audit, t.What, at.check, at.resource)]++
			}
		}
	}
	var digests []string
	for group, n := range want {
		if n > alert.Limit {
			digests = append(digests, fmt.Sprintf("%s %s: %d", strings.Fields(group)[0], strings.Fields(group)[2], n))
		}
	}
	heard, got := map[string]int{}, map[string]int{}
	var gotDigests []string
	repeated := 0
	for _, a := range h.alerts.heard {
		if heard[a.ID]++; heard[a.ID] > 1 {
			if a.Kind == alert.KindFinding || a.Kind == alert.KindDigest {
				repeated++
			}
			continue
		}
		switch a.Kind {
		case alert.KindFinding:
			at := strings.SplitN(a.Finding.Resource, "gate/", 2)
			name := strings.TrimPrefix(at[len(at)-1], "arn:aws:garden:::")
			got[fmt.Sprintf("%s %s %s %s", a.Audit, a.Change, checkName(a.Finding.Check), name)]++
		case alert.KindDigest:
			var n int
			var scope string
			_, err := fmt.Sscanf(a.Summary, "%d findings of %s changed", &n, &scope)
			h.must(err, "digest %q", a.Summary)
			gotDigests = append(gotDigests, fmt.Sprintf("%s %s: %d", a.Audit, scope, n))
		}
	}
	sort.Strings(digests)
	sort.Strings(gotDigests)
	if diff := cmp.Diff(single, got); diff != "" {
		h.rt.Fatalf("alerts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(digests, gotDigests); diff != "" {
		h.rt.Fatalf("digests (-want +got):\n%s", diff)
	}
	if repeated > 10*h.unnoted {
		h.rt.Fatalf("%d alerts came twice after %d deaths that could explain it", repeated, h.unnoted)
	}
}

// expire ends an audit whose time is over, if need be by one who comes after one who died.
func (h *lifetimes) expire(id model.AuditID) {
	err := h.Expire(h.t.Context(), organization, account, id)
	if h.revive() {
		err = h.Expire(h.t.Context(), organization, account, id)
	}
	h.must(err, "expire %s", id)
}

// open says how the tasks of an audit are, and which it waits for.
func (h *lifetimes) open(id model.AuditID) (all string) {
	tasks, err := h.records.Tasks(h.t.Context(), id)
	h.must(err, "tasks")
	for _, t := range tasks {
		all += fmt.Sprintf("%s is %s %s %v\n", t.ID, t.State, t.Problem, t.Next)
	}
	for item, err := range table.All(h.t.Context(), h.table, table.Query{PK: "O#acme#OPEN#" + string(id), Limit: table.MaxLimit}) {
		h.must(err, "markers")
		all += "open: " + item.SK + "\n"
	}
	return all
}

// markers: nothing waits for a task that has ended, and no marker stays for ever.
func (h *lifetimes) markers() {
	for _, id := range h.begun {
		for item, err := range table.All(h.t.Context(), h.table, table.Query{PK: "O#acme#OPEN#" + string(id), Limit: table.MaxLimit}) {
			h.must(err, "markers")
			t, err := h.records.Task(h.t.Context(), id, model.TaskID(item.SK))
			if !errors.Is(err, store.ErrNotFound) { // whoever planned it may have died before that
				h.must(err, "task %s of %s, which has a marker", item.SK, id)
			}
			if t.State == model.TaskIngested || item.Expires.IsZero() {
				h.rt.Fatalf("audit %s is %s, and a marker of its task %s, which is %s, stays until %s", id, h.read(id).State, t.ID, t.State, item.Expires)
			}
		}
	}
}
