// Command scale audits synthetic accounts of 10,000, 100,000 and 1,000,000 resources,
// which answer at the SDK's edge, and prints what it took: the checker's work and the
// aggregator's each in processes of their own, on an SQLite file and a directory. Then
// an account of 500,000 findings is audited, audited again with a tenth of it changed,
// and deleted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// What must hold.
const (
	memoryBound = 512 << 20 // of each function
	// steeper is how much faster than the resources the evidence may grow.
	steeper = 1.25
	// mostTurns is how often the functions may hand an audit to and fro.
	mostTurns = 200
)

// softLimit is the memory that the garbage collector aims at: what a function of the
// bound would be given.
const softLimit = memoryBound * 85 / 100

type options struct {
	totals   []int
	findings int
	changed  uint64
	limit    time.Duration
	most     int64 // megabytes that a process may take before it is ended
	keep     bool
}

func main() {
	var o options
	totals := flag.String("resources", "10000,100000,1000000", "sizes of the accounts")
	flag.IntVar(&o.findings, "findings", 500_000, "findings of the account that is audited twice and deleted; 0 leaves it out")
	flag.Uint64Var(&o.changed, "changed", 100, "of a thousand resources are changed between its audits")
	flag.DurationVar(&o.limit, "limit", 2*time.Hour, "time for all")
	flag.Int64Var(&o.most, "most", 4096, "megabytes that a process may take before it is ended")
	flag.BoolVar(&o.keep, "keep", false, "keep the folders with the state")
	one := flag.String("step", "", "a step in JSON: what this command calls itself with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	var err error
	if *one != "" {
		err = single(ctx, *one, o.most)
	} else if o.totals, err = numbers(*totals); err == nil {
		err = bench(ctx, o)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of resources", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// single does one step in this process, and prints what it took as JSON.
func single(ctx context.Context, text string, most int64) error {
	debug.SetMemoryLimit(softLimit)
	go func() { // another's machine must not suffer from what grows without a bound
		for range time.Tick(100 * time.Millisecond) {
			if status("VmRSS:") > most<<20 {
				fmt.Fprintf(os.Stderr, "scale: more than %d MB of memory\n", most)
				os.Exit(3)
			}
		}
	}()
	var s step
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	m, err := s.run(ctx)
	if e := json.NewEncoder(os.Stdout).Encode(m); e != nil {
		return errors.Join(err, e)
	}
	return err
}

// runner does a step somewhere.
type runner func(context.Context, step) (measured, error)

// apart does a step in a process of its own.
func apart(o options) runner {
	return func(ctx context.Context, s step) (m measured, err error) {
		text, err := json.Marshal(s)
		if err != nil {
			return m, err
		}
		program, err := os.Executable()
		if err != nil {
			return m, err
		}
		cmd := exec.CommandContext(ctx, program, "-most", strconv.FormatInt(o.most, 10), "-step", string(text))
		cmd.Stderr = os.Stderr
		out, failed := cmd.Output()
		if len(out) > 0 {
			err = json.Unmarshal(out, &m)
		}
		if failed != nil {
			failed = fmt.Errorf("%s: %w", s.Name, failed)
		}
		return m, errors.Join(failed, err)
	}
}

// audited is what one audit took.
type audited struct {
	check, ingest measured
	audit         model.Audit
}

// audit begins an audit and lets the functions take turns until nothing waits.
func audit(ctx context.Context, do runner, s step) (audited, error) {
	var a audited
	s.Name = stepBegin
	m, err := do(ctx, s)
	for turn := 0; err == nil && m.Waiting > 0; turn++ {
		if turn == mostTurns {
			return a, fmt.Errorf("the functions still hand the audit to and fro after %d turns", turn)
		}
		for _, part := range []struct {
			name string
			sum  *measured
		}{{stepCheck, &a.check}, {stepIngest, &a.ingest}} {
			s.Name = part.name
			m, err = do(ctx, s)
			part.sum.add(m)
			if m.Audit != nil {
				a.audit = *m.Audit
			}
			if err != nil {
				return a, err
			}
		}
	}
	switch {
	case err != nil:
		return a, err
	case !a.audit.State.Ended():
		return a, fmt.Errorf("the audit is %q with nothing left to do", a.audit.State)
	case a.audit.Summary == nil:
		return a, fmt.Errorf("the audit is %s without a summary: %v", a.audit.State, a.audit.Problems)
	}
	return a, nil
}

func bench(ctx context.Context, o options) error {
	var problems []error
	var done []audited
	head()
	perResource := 2.7 // findings, as measured; again with each account
	for _, total := range o.totals {
		a, err := inFolder(o, func(dir string) (audited, error) {
			a, err := audit(ctx, apart(o), step{Dir: dir, Resources: total})
			a.print(fmt.Sprintf("%d", total), err)
			return a, err
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("%d resources: %w", total, err))
			continue
		}
		problems = append(problems, a.holds(total)...)
		perResource = float64(a.audit.Summary.Counts.Fail) / float64(a.audit.Summary.Resources)
		done = append(done, a)
	}
	problems = append(problems, growth(done)...)
	if o.findings > 0 {
		problems = append(problems, life(ctx, o, int(float64(o.findings)/perResource))...)
	}
	return errors.Join(problems...)
}

func inFolder(o options, do func(dir string) (audited, error)) (audited, error) {
	dir, err := os.MkdirTemp("", "cloudarq-scale-")
	if err != nil {
		return audited{}, err
	}
	if o.keep {
		fmt.Println("state in", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	return do(dir)
}

// life audits an account, audits it again with a part of it changed, and deletes it.
func life(ctx context.Context, o options, total int) []error {
	var problems []error
	_, err := inFolder(o, func(dir string) (audited, error) {
		s := step{Dir: dir, Resources: total}
		first, err := audit(ctx, apart(o), s)
		first.print("new", err)
		if err != nil {
			return first, fmt.Errorf("first audit of %d resources: %w", total, err)
		}
		problems = append(problems, first.holds(total)...)
		s.Rounds = []uint64{o.changed}
		second, err := audit(ctx, apart(o), s)
		second.print("changed", err)
		if err != nil {
			return second, fmt.Errorf("second audit of %d resources: %w", total, err)
		}
		problems = append(problems, second.holds(total)...)
		problems = append(problems, first.changes(second)...)
		s.Name = stepDelete
		m, err := apart(o)(ctx, s)
		if err != nil {
			return second, fmt.Errorf("delete: %w", err)
		}
		fmt.Printf("deleted in %s (%s of processor, peak %d MB): %d records and %d objects\n", round(m.Wall), round(m.Processor), m.Memory>>20, m.Receipt.Records, m.Receipt.Objects)
		problems = append(problems, m.deleted(first.audit.Summary.Counts.Fail)...)
		return second, nil
	})
	if err != nil {
		problems = append(problems, err)
	}
	return problems
}

// holds says what of an audit is not as it must be.
func (a audited) holds(total int) []error {
	var problems []error
	s := a.audit.Summary
	if a.audit.State != model.AuditDone {
		problems = append(problems, fmt.Errorf("the audit of %d is %s: %v", total, a.audit.State, a.audit.Problems))
	}
	if s.Resources < total*9/10 {
		problems = append(problems, fmt.Errorf("the audit saw %d resources of %d", s.Resources, total))
	}
	for name, memory := range map[string]int64{"checker": a.check.Memory, "aggregator": a.ingest.Memory} {
		if memory > memoryBound {
			problems = append(problems, fmt.Errorf("the %s took %d MB for %d resources, at most %d", name, memory>>20, total, memoryBound>>20))
		}
	}
	return problems
}

// changes says what is wrong with the changes from one audit to the next: each finding
// is still open, or resolved, and none is new that was known.
func (a audited) changes(next audited) []error {
	before, now, c := a.audit.Summary.Counts.Own(), next.audit.Summary.Counts.Own(), next.audit.Summary.Changes
	if c.New == 0 || c.Resolved == 0 || before+c.New+c.Reopened+c.Unfolded-c.Resolved-c.Folded != now {
		return []error{fmt.Errorf("%d failed, then %d new, %d reopened, %d unfolded, %d resolved and %d folded, and %d failed",
			before, c.New, c.Reopened, c.Unfolded, c.Resolved, c.Folded, now)}
	}
	return nil
}

// deleted says what is wrong with a deletion.
func (m measured) deleted(findings int) []error {
	switch r := m.Receipt; {
	case r == nil || r.PurgedAt.IsZero():
		return []error{errors.New("the connection was deleted without a receipt")}
	case r.Records < findings:
		return []error{fmt.Errorf("the receipt has %d records for %d findings", r.Records, findings)}
	case m.Objects > 0:
		return []error{fmt.Errorf("%d objects are left of the connection", m.Objects)}
	case m.Memory > memoryBound:
		return []error{fmt.Errorf("deleting took %d MB, at most %d", m.Memory>>20, memoryBound>>20)}
	}
	return nil
}

// growth compares each account with the one before it.
func growth(done []audited) []error {
	var problems []error
	for i, a := range slices.All(done) {
		if i == 0 {
			continue
		}
		b := done[i-1]
		resources := float64(a.audit.Summary.Resources) / float64(b.audit.Summary.Resources)
		of := func(now, before float64) float64 { return now / before / resources }
		evidence := of(float64(a.ingest.Evidence), float64(b.ingest.Evidence))
		fmt.Printf("%d resources against %d, for each resource: evidence x %.2f, processor x %.2f of the checker, x %.2f of the aggregator\n",
			a.audit.Summary.Resources, b.audit.Summary.Resources, evidence,
			of(float64(a.check.Processor), float64(b.check.Processor)), of(float64(a.ingest.Processor), float64(b.ingest.Processor)))
		if evidence > steeper {
			problems = append(problems, fmt.Errorf("evidence for each resource is %.2f times as much with %d resources as with %d", evidence, a.audit.Summary.Resources, b.audit.Summary.Resources))
		}
	}
	return problems
}

func head() {
	fmt.Printf("%-10s %9s %9s %8s | %-28s | %-28s | %9s %9s %8s %5s %s\n", "account", "resources", "findings", "calls",
		"checker: wall, cpu, memory", "aggregator: wall, cpu, memory", "evidence", "table", "coverage", "gaps", "state")
}

func (a audited) print(name string, err error) {
	part := func(m measured) string {
		return fmt.Sprintf("%8s %8s %7d MB", round(m.Wall), round(m.Processor), m.Memory>>20)
	}
	resources, findings, coverage, gaps := "?", "?", "?", "?"
	if s := a.audit.Summary; s != nil {
		resources, findings = strconv.Itoa(s.Resources), strconv.Itoa(s.Counts.Fail)
		coverage, gaps = fmt.Sprintf("%.1f %%", 100*s.Score.Coverage), strconv.Itoa(len(s.Gaps))
	}
	state := string(a.audit.State)
	if err != nil {
		state += " (failed)"
	}
	fmt.Printf("%-10s %9s %9s %8d | %-28s | %-28s | %6.1f MB %6d MB %8s %5s %s\n", name, resources, findings, a.check.Calls,
		part(a.check), part(a.ingest), float64(a.ingest.Evidence)/(1<<20), a.ingest.Table>>20, coverage, gaps, state)
	if s := a.audit.Summary; s != nil {
		for _, g := range s.Gaps {
			fmt.Printf("%-10s gap: %s %s %s: %d verdicts of %v\n", "", g.Reason, g.Operation, g.Detail, g.Count, g.Checks)
		}
	}
	if s := a.audit.Summary; s != nil && s.Changes.Previous != "" {
		fmt.Printf("%-10s %d new, %d resolved, %d reopened\n", "", s.Changes.New, s.Changes.Resolved, s.Changes.Reopened)
	}
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
