package hostile_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
	"github.com/cloudarq/cloudarq/test/hostile"
)

// Each run of the property is three audits of all services, half a second each.
// -rapid.checks and -rapid.seed say otherwise.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "8") // before m.Run reads the command line
	_ = flag.Set("rapid.seed", "20261129")
	_ = flag.Set("rapid.shrinktime", "5s")
	_ = flag.Set("rapid.nofailfile", "true")
	os.Exit(m.Run())
}

const (
	organization = model.OrganizationID("acme")
	account      = "111122223333"
	region       = "eu-west-1"
	each         = 2 // resources of each type
)

// world is the account: what the next audit finds in it.
type world struct {
	catalog *check.Catalog
	seed    uint64
	classes []hostile.Class
}

// isGlobal says whether a service has one listing for all regions.
func isGlobal(service string) bool {
	return slices.Contains([]string{"account", "cloudarq", "cloudfront", "iam", "organizations", "route53", "s3"}, service)
}

func (w *world) specs() map[string]collect.Spec {
	specs := map[string]collect.Spec{}
	for _, service := range w.catalog.Services() {
		spec := collect.Spec{Service: service.Name, Global: isGlobal(service.Name)}
		for _, kind := range service.Kinds {
			spec.Walks = append(spec.Walks, collect.Walk{Kinds: []string{kind.Name}, Run: func(_ context.Context, s *collect.Session) error {
				for i := range each {
					s.Emit(w.make(kind, s.Region, i))
				}
				return nil
			}})
		}
		specs[service.Name] = spec
	}
	return specs
}

// make makes the resource of a number. Walks run side by side, so that each has a maker
// of its own.
func (w *world) make(kind check.Kind, region string, i int) check.Resource {
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, kind.Name, i)
	return hostile.NewMaker(w.seed^hash.Sum64(), w.classes...).Resource(kind, account, region, i)
}

// Open implements pipeline.Accounts.
func (w *world) Open(context.Context, model.OrganizationID, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
	return w, nil
}

// Verify implements pipeline.Accounts.
func (*world) Verify(context.Context, model.OrganizationID, model.Audit, pipeline.Account, ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{}, nil
}

// Identity implements pipeline.Account.
func (*world) Identity() model.Identity {
	return model.Identity{Account: account, Partition: "aws", CallerARN: "arn:aws:sts::" + account + ":assumed-role/CloudArqAuditRole/cloudarq"}
}

// Regions implements pipeline.Account.
func (*world) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return []string{region}, nil, nil
}

// Config implements pipeline.Account.
func (*world) Config(region string, _ ledger.Ledger) aws.Config { return aws.Config{Region: region} }

// HomeRegion implements pipeline.Account.
func (*world) HomeRegion() string { return "us-east-1" }

// ears hear what is announced, and take nothing that SNS would not.
type ears struct {
	mu    sync.Mutex
	heard []alert.Alert
}

// Publish implements notify.Notifier.
func (e *ears) Publish(_ context.Context, messages ...notify.Message) error {
	if err := notify.Check(messages...); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range messages {
		var a alert.Alert
		if err := json.Unmarshal(m.Body, &a); err != nil {
			return err
		}
		e.heard = append(e.heard, a)
	}
	return nil
}

// machine is a pipeline on real drivers, with DynamoDB's limits.
type machine struct {
	*pipeline.Pipeline
	records        *store.Organization
	broker         *memory.Broker
	tasks, results *memory.Queue
	heard          *ears
	world          *world
	now            time.Time
	audits         int
}

// receives is how often a message is tried. When deployed it is twelve times; more than
// three only take longer.
const receives = 3

func newMachine(t *rapid.T, path string) *machine {
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		broker: memory.New(memory.Options{MaxReceives: receives}), heard: &ears{}, world: &world{catalog: catalog},
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	clock := func() time.Time { return m.now }
	file, err := sqlite.Open(context.Background(), path+"/state.db", sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	blobs, err := dir.Open(path + "/blobs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	m.tasks, m.results = m.broker.Queue("tasks"), m.broker.Queue("results")
	records := store.New(file, nil)
	m.records = records.For(organization)
	m.Pipeline = &pipeline.Pipeline{
		Catalog: catalog, Specs: m.world.specs(), Store: records, Evidence: blobs, Tasks: m.tasks, Results: m.results,
		Accounts: m.world, Progress: pipeline.Silent{}, Alerts: m.heard, Now: clock,
	}
	return m
}

// outcome is what an audit came to.
type outcome struct {
	audit    model.Audit
	tasks    []model.Task
	verdicts []shape.Verdict
	failed   map[model.FindingID]shape.Verdict
	findings map[model.FindingID]model.Finding
}

// audit makes one audit and says what of it is not as it must be.
func (m *machine) audit(ctx context.Context) (o outcome, problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	m.audits++
	m.now = m.now.Add(time.Hour)
	r := pipeline.Request{
		Organization: organization, Audit: model.AuditID(fmt.Sprintf("audit-%03d", m.audits)),
		Connection: model.Connection{ID: account, AccountID: account}, Partition: "aws",
		Regions: []string{region}, Checks: m.Catalog.Checks(),
	}
	before := len(m.heard.heard)
	dead := len(m.tasks.Dead()) + len(m.results.Dead())
	_, err := m.Plan(ctx, r)
	if err == nil {
		err = m.broker.Walk(ctx, memory.Worker{Queue: m.tasks, Handle: m.RunTask}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	}
	if err != nil {
		bad("the audit stops: %w", err)
	}
	for _, letter := range append(m.tasks.Dead(), m.results.Dead()...)[dead:] {
		bad("given up: %s: %w", letter.Body, letter.Err)
	}
	if o.audit, err = m.records.Audit(ctx, account, r.Audit); err != nil {
		bad("read the audit: %w", err)
		return o, problems
	}
	if !o.audit.State.Ended() {
		bad("the audit is still %s", o.audit.State)
	}
	if o.audit.State == model.AuditPartial && len(o.audit.Problems) == 0 {
		bad("the audit is partial and says no reason")
	}
	if !slices.ContainsFunc(m.heard.heard[before:], func(a alert.Alert) bool { return a.Kind == alert.KindAudit && a.Audit == r.Audit }) {
		bad("that the audit ended was not announced")
	}
	if o.tasks, err = m.records.Tasks(ctx, r.Audit); err != nil {
		bad("read the tasks: %w", err)
	}
	o.failed = map[model.FindingID]shape.Verdict{}
	blind := map[model.FindingID]bool{} // a finding that cannot be looked at stays as it was
	shaper, err := shape.NewShaper(m.Catalog)
	if err != nil {
		bad("read the texts: %w", err)
		return o, problems
	}
	err = recorded.Audit{Audit: o.audit, Tasks: o.tasks, Evidence: m.Evidence, Shaper: shaper}.Sorted(ctx, check.Statuses(), func(v shape.Verdict) error {
		o.verdicts = append(o.verdicts, v)
		if v.Status == check.Fail {
			o.failed[v.ID] = v
		}
		if v.Status == check.NotAssessed {
			blind[v.ID] = true
		}
		for _, gap := range v.Gaps {
			if strings.HasPrefix(gap.Detail, "rule ") {
				bad("a rule panics: %s", gap.Detail)
			}
		}
		return nil
	})
	if err != nil {
		bad("read the evidence: %w", err)
	}
	o.findings = map[model.FindingID]model.Finding{}
	for _, scope := range pipeline.Scopes(m.Catalog) {
		all, err := m.records.Findings(ctx, account, scope)
		if err != nil {
			bad("read the findings of %s: %w", scope, err)
		}
		for _, f := range all {
			o.findings[f.ID] = f
		}
	}
	for id, v := range o.failed {
		if f, ok := o.findings[id]; !ok || f.State == model.FindingResolved {
			bad("%s failed on %.80q and has no finding that is open", v.Check, v.Resource)
		}
	}
	for id, f := range o.findings {
		if _, fails := o.failed[id]; !fails && !blind[id] && f.State != model.FindingResolved {
			bad("the finding of %s on %.80q is %s, and nothing fails", f.Check, f.Resource.ARN, f.State)
		}
	}
	return o, problems
}

// steers says whether a text has what steers a terminal, or turns a page's text round.
func steers(text string) (rune, bool) {
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return r, true
		}
	}
	return 0, false
}

// rendered says what is wrong with the reports of an audit.
func (m *machine) rendered(o outcome) (problems []error) {
	texts, err := m.Catalog.Texts()
	if err != nil {
		return []error{err}
	}
	shaper, err := shape.NewShaper(m.Catalog)
	if err != nil {
		return []error{err}
	}
	var findings []shape.Finding
	for _, f := range o.findings {
		shaped, err := shaper.Finding(f, shape.Owner{}, nil)
		if err != nil {
			return []error{err}
		}
		findings = append(findings, shaped)
	}
	var failures []shape.Verdict
	for _, v := range o.verdicts {
		if v.Status == check.Fail {
			failures = append(failures, v)
		}
	}
	look := func(what string, safe bool, write func(*bytes.Buffer) error) string {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
		}
		text := out.String()
		if !utf8.ValidString(text) {
			problems = append(problems, fmt.Errorf("%s is no UTF-8", what))
		}
		if r, bad := steers(text); bad && safe {
			at := strings.IndexRune(text, r)
			problems = append(problems, fmt.Errorf("%s has %U: %q", what, r, text[max(0, at-40):min(len(text), at+40)]))
		}
		return text
	}
	for _, format := range report.Formats() {
		style := report.Style{Width: 120}
		for what, write := range map[string]func(*bytes.Buffer) error{
			"verdicts": func(out *bytes.Buffer) error {
				return report.Write(out, format, style, failures, report.VerdictColumns())
			},
			"findings": func(out *bytes.Buffer) error {
				return report.Write(out, format, style, findings, report.FindingColumns())
			},
		} {
			what += " as " + string(format)
			text := look(what, true, write)
			switch format {
			case report.JSON:
				if !json.Valid([]byte(text)) {
					problems = append(problems, fmt.Errorf("%s is no JSON", what))
				}
			case report.CSV:
				problems = append(problems, spreadsheet(what, text)...)
			case report.Table, report.NDJSON:
			}
		}
	}
	look("summary", true, func(out *bytes.Buffer) error {
		return report.Summary(out, report.Style{Width: 120}, o.audit, failures[:min(10, len(failures))])
	})
	for _, f := range findings {
		look("finding", true, func(out *bytes.Buffer) error { return report.Finding(out, f) })
	}
	if o.audit.Summary != nil {
		page := report.Page{Texts: texts}
		slices.SortStableFunc(failures, func(a, b shape.Verdict) int { return strings.Compare(string(a.Check), string(b.Check)) })
		page.Add(o.audit, failures)
		html := look("HTML", true, func(out *bytes.Buffer) error { return page.Write(context.Background(), out) })
		for _, tag := range []string{"<script", "<img"} {
			if strings.Contains(html, tag) {
				problems = append(problems, fmt.Errorf("the page has %s", tag))
			}
		}
	}
	return problems
}

// spreadsheet says which cells a spreadsheet would run, also where it takes ";" for
// the end of a cell.
func spreadsheet(what, text string) (problems []error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return []error{fmt.Errorf("%s: %w", what, err)}
	}
	for _, record := range records {
		for _, value := range record {
			if begin := strings.TrimLeft(value, " \t\r\n\u00a0"); begin != "" && strings.ContainsAny(begin[:1], "=+-@") || strings.HasPrefix(begin, "＝") {
				problems = append(problems, fmt.Errorf("%s: a spreadsheet would run %.60q", what, value))
			}
		}
	}
	semicolons := csv.NewReader(strings.NewReader(text))
	semicolons.Comma, semicolons.LazyQuotes, semicolons.FieldsPerRecord = ';', true, -1
	records, err = semicolons.ReadAll()
	if err != nil {
		return append(problems, fmt.Errorf("%s with semicolons: %w", what, err))
	}
	for _, record := range records {
		for i, value := range record {
			if i > 0 && value != "" && strings.ContainsAny(value[:1], "=+-@") {
				problems = append(problems, fmt.Errorf("%s: a spreadsheet that parts cells at semicolons would run %.60q", what, value))
			}
		}
	}
	return problems
}

// hostileAudits is the property: whatever an account holds, its audit ends, what failed
// has a finding, what is announced can be sent, and the next audit, of an account that
// was mended, closes all of it.
func hostileAudits(t *rapid.T, root string, all []hostile.Class) {
	path, err := os.MkdirTemp(root, "run-")
	if err != nil {
		t.Fatal(err)
	}
	classes := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID).Draw(t, "classes")
	seed := rapid.Uint64().Draw(t, "seed")
	m := newMachine(t, path)
	ctx := context.Background()

	m.world.seed = seed + 2 // what is there at first is not announced one by one
	if _, problems := m.audit(ctx); len(problems) > 0 {
		t.Fatalf("with nothing hostile: %v", errors.Join(problems...))
	}
	m.world.seed, m.world.classes = seed, classes
	first, problems := m.audit(ctx)
	problems = append(problems, m.rendered(first)...)

	m.world.seed, m.world.classes = seed+1, nil
	mended, more := m.audit(ctx)
	for _, problem := range append(more, m.rendered(mended)...) {
		problems = append(problems, fmt.Errorf("after it was mended: %w", problem))
	}
	if len(first.failed) < 20 || len(mended.failed) < 20 {
		problems = append(problems, fmt.Errorf("%d and %d verdicts of FAIL: the property shows nothing", len(first.failed), len(mended.failed)))
	}
	const shown = 12
	if len(problems) > shown {
		problems = append(problems[:shown], fmt.Errorf("and %d more", len(problems)-shown))
	}
	if err := errors.Join(problems...); err != nil {
		t.Fatalf("%v: %.6000v", classes, err)
	}
}

// TestHostileAudits: whatever an account holds, its audits end, each failure has its
// finding, each alert is sent, nothing is blocked and every report can be shown.
func TestHostileAudits(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) { hostileAudits(rt, root, hostile.Classes()) })
}
