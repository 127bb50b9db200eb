// Command bench measures one audit of a sample account of about 1,000 resources
// of 24 services in 17 regions: wall time, processor time, peak memory and calls, with and
// without 30 ms of latency on every call. The second number of each comparison is
// the bound that the calls' dependencies and the program's own limits allow. With
// -beside it measures another build of the command in turn with this one, and says how
// many times as much this one takes.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// services are those that the sample account has resources of.
const services = "acm,apigateway,autoscaling,cloudfront,cloudtrail,cloudwatch,dynamodb,ec2,ecr,ecs,efs,eks," +
	"elb,elbv2,iam,kms,lambda,logs,rds,route53,s3,secretsmanager,sns,sqs"

const (
	scale   = 720 // besides the few hundred that every account has
	latency = 30 * time.Millisecond
	runs    = 5 // the median counts
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	beside := flag.String("beside", "", "another cloudarq to measure in turn with bin/cloudarq, such as the version before")
	flag.Parse()
	err := bench(ctx, *beside)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, beside string) (err error) {
	root, err := emulator.Root()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "cloudarq-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	fmt.Fprintf(os.Stderr, "filling an account with %d resources; this takes about a minute\n", scale)
	server, err := emulator.Start(ctx, emulator.Options{Enforce: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	sample, err := estate.Seed(ctx, server.URL, scale)
	if err != nil {
		return err
	}
	proxy, err := newReplay(server.URL)
	if err != nil {
		return err
	}
	address, stop, err := proxy.serve()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	sample.Endpoint = address

	b := &benchmark{ctx: ctx, programs: []string{filepath.Join(root, "bin", "cloudarq")}, temp: temp, estate: sample, proxy: proxy}
	if beside != "" {
		b.programs = append(b.programs, beside)
	}
	for _, program := range b.programs { // fills the proxy
		if _, err := b.run(program); err != nil {
			return err
		}
	}
	var first measurement
	for _, l := range []time.Duration{0, latency} {
		proxy.latency.Store(int64(l))
		proxy.missed.Store(0)
		medians, err := b.medians()
		if err != nil {
			return err
		}
		m := medians[0]
		if first.calls == 0 {
			first = m
			fmt.Printf("%d resources, %d verdicts, %d calls\n", m.resources, m.verdicts, m.calls)
			fmt.Printf("rates: none, of an emulator; at %.0f %% of AWS's quotas (pkg/aws/client/quotas.tsv) these calls take %s at least, for %s\n\n", 100*client.DefaultShare, m.paced.Round(100*time.Millisecond), m.slowest)
			fmt.Printf("%-10s %10s %10s %10s %10s %14s\n", "latency", "wall", "bound", "ratio", "CPU", "peak memory")
		}
		bound := m.bound(l, first.wall)
		fmt.Printf("%-10s %10s %10s %10.2f %10s %11.0f MB\n", l, m.wall.Round(10*time.Millisecond), bound.Round(10*time.Millisecond),
			m.wall.Seconds()/bound.Seconds(), m.cpu.Round(10*time.Millisecond), m.memory/1e6)
		if missed := proxy.missed.Load(); missed > 0 {
			fmt.Printf("           (%d answers had to be asked of the emulator)\n", missed)
		}
		for _, other := range medians[1:] {
			fmt.Printf("%-10s %10s %10s %10s %10s %11.0f MB   (%d calls)\n", "beside it", other.wall.Round(10*time.Millisecond), "", "",
				other.cpu.Round(10*time.Millisecond), other.memory/1e6, other.calls)
			fmt.Printf("%-10s %10.2f %10s %10s %10.2f %14.2f   (calls %.3f)\n", "times", m.wall.Seconds()/other.wall.Seconds(), "", "",
				m.cpu.Seconds()/other.cpu.Seconds(), m.memory/other.memory, float64(m.calls)/float64(other.calls))
		}
	}
	return nil
}

type benchmark struct {
	ctx      context.Context //nolint:containedctx // lives as long as the program
	programs []string        // measured in turn
	temp     string
	estate   *estate.Estate
	proxy    *replay
	count    int
}

// measurement is what one audit took.
type measurement struct {
	wall, cpu                  time.Duration
	memory                     float64 // bytes, at its peak
	calls, resources, verdicts int
	chain                      int           // calls that had to wait for one another
	paced                      time.Duration // the least that AWS's quotas would let it take
	slowest                    string        // which of them
}

// bound is the least wall time that latency allows: the calls shared by as many
// as may be under way, or the longest chain of calls of which each needs the one
// before, or what the same audit takes without any latency. An audit that computes
// only while it waits comes to the longest of the three.
func (m measurement) bound(latency, without time.Duration) time.Duration {
	shared := time.Duration(m.calls) * latency / client.CallsAtOnce
	return max(without, shared, time.Duration(m.chain)*latency)
}

// medians are, for each program, the median of each figure by itself.
func (b *benchmark) medians() ([]measurement, error) {
	all := make([][]measurement, len(b.programs))
	for range runs {
		for i, program := range b.programs {
			m, err := b.run(program)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], m)
		}
	}
	medians := make([]measurement, len(all))
	for i, of := range all {
		m := of[0] // counts are the same in every run
		m.wall = middle(of, func(m measurement) time.Duration { return m.wall })
		m.cpu = middle(of, func(m measurement) time.Duration { return m.cpu })
		m.memory = middle(of, func(m measurement) float64 { return m.memory })
		medians[i] = m
	}
	return medians, nil
}

func middle[T cmp.Ordered](all []measurement, figure func(measurement) T) T {
	var figures []T
	for _, m := range all {
		figures = append(figures, figure(m))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

func (b *benchmark) run(program string) (measurement, error) {
	b.count++
	data := filepath.Join(b.temp, fmt.Sprintf("run-%d", b.count))
	account := b.estate.Account("neglected")
	cmd := exec.CommandContext(b.ctx, program, "audit", "run", "--quiet", "--services", services, "--data-dir", data, "--role-arn", account.RoleARN, "--external-id", "-")
	cmd.Env, cmd.Stdin, cmd.Stderr = b.estate.Environ(), strings.NewReader(account.ExternalID), os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return measurement{}, fmt.Errorf("audit: %w", err)
	}
	m := measurement{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.memory = float64(usage.Maxrss) * 1024 // Linux counts kilobytes
	}
	return m, b.read(program, data, &m)
}

// read takes the figures that the audit itself keeps.
func (b *benchmark) read(program, data string, m *measurement) error {
	show := exec.CommandContext(b.ctx, program, "audit", "show", "--data-dir", data, "-o", "json")
	out, err := show.Output()
	if err != nil {
		return fmt.Errorf("read the audit: %w", err)
	}
	var audit model.Audit
	if err := json.Unmarshal(out, &audit); err != nil {
		return err
	}
	s := audit.Summary
	m.resources, m.verdicts = s.Resources, s.Counts.Pass+s.Counts.Fail+s.Counts.NotApplicable+s.Counts.NotAssessed
	ledgers, err := filepath.Glob(filepath.Join(data, "blobs", "ledger", "*", "*", "*", "*", "*"))
	if err != nil {
		return err
	}
	var all []ledger.Entry
	for _, path := range ledgers {
		calls, err := readLedger(path)
		if err != nil {
			return err
		}
		m.calls += len(calls)
		m.chain = max(m.chain, chain(calls))
		all = append(all, calls...)
	}
	m.paced, m.slowest = client.LeastTime(all, client.DefaultShare)
	return nil
}

func readLedger(path string) ([]ledger.Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var calls []ledger.Entry
	for entry, err := range blob.Read[ledger.Entry](f) {
		if err != nil {
			return nil, err
		}
		calls = append(calls, entry)
	}
	return calls, nil
}

// connecting is how many calls come before any service is asked: AssumeRole,
// GetCallerIdentity, DescribeRegions.
const connecting = 3

// chain is the longest chain of dependent calls in a service: its pages come one
// after the other, and the last page's resources need up to two further calls,
// a description and what depends on it.
func chain(calls []ledger.Entry) int {
	pages := map[string]int{}
	longest, details := 0, 0
	for _, c := range calls {
		if strings.HasPrefix(c.Operation, "List") {
			at := c.Region + c.Operation
			pages[at]++
			longest = max(longest, pages[at])
		}
		if strings.HasPrefix(c.Operation, "Get") {
			details = 2
		}
	}
	return connecting + max(1, longest) + details
}
