package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/cloudarq/cloudarq/bench/load/drive"
	"github.com/cloudarq/cloudarq/pkg/local"
)

// load is what a server is asked, and who writes meanwhile.
type load struct {
	state  *local.State
	size   drive.Size
	server *drive.Server
	access drive.Access
	writer *drive.Writer
	audits int

	kinds []kind
}

// kind is a way to ask, of which there are many of each.
type kind struct {
	name  string
	share int // of all reads
	paths []string
}

// Of the reads, most are pages of findings, as in the console.
var shares = map[string]int{"a first page": 40, "a first page, with groups": 15, "a next page": 15, "a finding": 15, "scores": 5, "the score of all": 5, "connections": 5}

// different is how many ways to ask there are of each kind.
const different = 200

// goal is what a first page takes at most, of 99 in 100.
const goal = 50 * time.Millisecond

// filters are what lists are filtered by: some of them at once, or none.
func (l *load) filters() []string {
	checks := l.state.Catalog.Checks()
	return []string{
		"severity=critical,high", "severity=medium", "service=s3,iam", "region=eu-west-1", "region!=us-east-1", "check=" + string(checks[len(checks)/3].ID),
		"account=100000000007", "connection=load00003", "project=shop", "status=fail", "state=resolved", "resource=*orders*", "resource=*w?b*", "name=thing-7*",
		"first_seen>=2026-06-01", "pillar=security", "tag:env=prod", "all=true",
	}
}

var (
	sorts  = []string{"", "-first_seen", "resource", "account,-severity", "check", "name", "region,service", "id", "connection"}
	groups = []string{"severity", "service", "check", "account", "region", "severity,service,region,check,account", "resource", "project"}
)

// query is the parameters of a list, with some filters and a sort.
func query(r *rand.Rand, filters []string) string {
	words := []string{"limit=" + []string{"50", "100"}[r.IntN(2)]}
	asked := map[string]bool{}
	for range r.IntN(4) {
		word := filters[r.IntN(len(filters))]
		name := word[:strings.IndexAny(word, "=!><")]
		if asked[name] {
			continue
		}
		asked[name] = true
		name, value, _ := strings.Cut(word, "=")
		words = append(words, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	if sort := sorts[r.IntN(len(sorts))]; sort != "" {
		words = append(words, "sort="+sort)
	}
	return strings.Join(words, "&")
}

// prepare makes what is asked, for which it reads some pages.
func (l *load) prepare(ctx context.Context) error {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	filters := l.filters()
	paths := map[string][]string{"scores": {"/v1/scores?limit=100", "/v1/scores?limit=100&sort=-critical"}, "the score of all": {"/v1/score", "/v1/score?project=shop"}, "connections": {"/v1/connections?limit=100"}}
	for range different {
		first := "/v1/findings?" + query(r, filters)
		paths["a first page"] = append(paths["a first page"], first)
		paths["a first page, with groups"] = append(paths["a first page, with groups"], "/v1/findings?"+query(r, filters)+"&group="+groups[r.IntN(len(groups))])
		paths["connections"] = append(paths["connections"], fmt.Sprintf("/v1/connections/load%05d", r.IntN(l.size.Connections)))
		var page struct {
			Findings []struct{ ID string }
			Cursor   string
		}
		if err := l.server.Call(ctx, l.access.Token, http.MethodGet, first, nil, &page); err != nil {
			return fmt.Errorf("%s: %w", first, err)
		}
		if page.Cursor != "" {
			paths["a next page"] = append(paths["a next page"], first+"&cursor="+url.QueryEscape(page.Cursor))
		}
		if len(page.Findings) > 0 {
			paths["a finding"] = append(paths["a finding"], "/v1/findings/"+page.Findings[len(page.Findings)/2].ID)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		l.kinds = append(l.kinds, kind{name, shares[name], paths[name]})
	}
	return nil
}

// targets gives one request after the other: of each kind its share. What is asked says its
// kind as the id of the request, which answers repeat.
func (l *load) targets() vegeta.Targeter {
	var wheel []int
	for i, k := range l.kinds {
		for range k.share {
			wheel = append(wheel, i)
		}
	}
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same each time
	r.Shuffle(len(wheel), func(i, j int) { wheel[i], wheel[j] = wheel[j], wheel[i] })
	var n atomic.Int64
	return func(t *vegeta.Target) error {
		i := int(n.Add(1))
		of := wheel[i%len(wheel)]
		paths := l.kinds[of].paths
		t.Method, t.URL = http.MethodGet, l.server.URL+paths[i%len(paths)]
		t.Header = http.Header{"Authorization": {"Bearer " + l.access.Token}, "X-Request-Id": {fmt.Sprintf("%d/%d", of, i)}}
		return nil
	}
}

// Writes go on whatever the rate of reads is.
const (
	writeEvery = 200 * time.Millisecond
	auditEvery = 500 * time.Millisecond
)

// write has two write until the context ends: people, over HTTP, and audits, beside it.
func (l *load) write(ctx context.Context, note func(drive.Write)) (wait func()) {
	var writers sync.WaitGroup
	every := func(pause time.Duration, next func() drive.Write) {
		writers.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					note(next())
				}
			}
		})
	}
	// What was begun is ended, so that it is known what came of it.
	whole := context.WithoutCancel(ctx)
	every(writeEvery, func() drive.Write { return l.writer.Next(whole) })
	every(auditEvery, func() drive.Write {
		l.audits++
		return drive.Audit(whole, l.state, l.size, l.audits)
	})
	return writers.Wait
}

// attack asks at a rate for a while, or until the context ends.
func (l *load) attack(ctx context.Context, rate int, lasting time.Duration, note func(*vegeta.Result)) {
	pace := vegeta.Pacer(vegeta.ConstantPacer{Freq: rate, Per: time.Second})
	how := []func(*vegeta.Attacker){vegeta.KeepAlive(true), vegeta.Timeout(time.Minute)}
	if rate == 0 {
		pace = vegeta.ConstantPacer{} // without a rate, as soon as a worker is free
		how = append(how, vegeta.Workers(atOnce), vegeta.MaxWorkers(atOnce))
	}
	attacker := vegeta.NewAttacker(how...)
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	for result := range attacker.Attack(l.targets(), pace, lasting, "reads") {
		note(result)
	}
}

// atOnce is how many requests are made at a time where as many are made as there can be.
const atOnce = 8

// run asks at one rate and prints what came of it; errors but for what limits refused are one.
func (l *load) run(ctx context.Context, rate int, lasting time.Duration) error {
	metrics := map[string]*vegeta.Metrics{}
	var mu sync.Mutex
	note := func(kind string, r *vegeta.Result) {
		mu.Lock()
		defer mu.Unlock()
		if metrics[kind] == nil {
			metrics[kind] = &vegeta.Metrics{}
		}
		metrics[kind].Add(r)
	}
	during, end := context.WithTimeout(ctx, lasting)
	defer end()
	worked := l.server.Worked()
	wait := l.write(during, func(w drive.Write) {
		r := &vegeta.Result{Timestamp: w.Began, Latency: w.Took, Code: uint16(w.Code)} //nolint:gosec // a status
		if w.Err != nil {
			r.Error = w.Err.Error()
		}
		note("write: "+w.Kind, r)
	})
	l.attack(ctx, rate, lasting, func(r *vegeta.Result) {
		kind := "no answer"
		if of, _, ok := strings.Cut(r.Headers.Get("X-Request-Id"), "/"); ok {
			if n, err := strconv.Atoi(of); err == nil && n < len(l.kinds) {
				kind = l.kinds[n].name
			}
		}
		note(kind, r)
		note("all reads", r)
	})
	end()
	wait()
	return l.report(rate, metrics, l.server.Worked()-worked)
}

func (l *load) report(rate int, metrics map[string]*vegeta.Metrics, worked time.Duration) error {
	said := fmt.Sprintf("%d reads a second", rate)
	if rate == 0 {
		said = fmt.Sprintf("as many reads as %d at a time can be", atOnce)
	}
	fmt.Println(said)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "kind\trequests\ta second\tp50\tp95\tp99\trefused\terrors")
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		m := metrics[name]
		m.Close()
		refused, good := m.StatusCodes["429"], 0
		for code, n := range m.StatusCodes {
			if strings.HasPrefix(code, "2") {
				good += n
			}
		}
		failed := int(m.Requests) - refused - good //nolint:gosec // a count
		_, _ = fmt.Fprintf(out, "%s\t%d\t%.1f\t%s\t%s\t%s\t%d\t%d\n", name, m.Requests, m.Rate, short(m.Latencies.P50), short(m.Latencies.P95), short(m.Latencies.P99), refused, failed)
		if failed > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %q", name, m.Errors[:min(3, len(m.Errors))]))
		}
		if rate > 0 && strings.HasPrefix(name, "a first page") && m.Latencies.P99 > goal {
			fmt.Printf("over the goal of %s: %s\n", goal, name)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if all := metrics["all reads"]; all != nil {
		fmt.Printf("the server's processor time: %s, %s for each read with what was written meanwhile\n\n", short(worked), short(worked/time.Duration(max(1, all.Requests)))) //nolint:gosec // a count
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

func short(d time.Duration) time.Duration { return d.Round(time.Millisecond / 10) }

// killAfter is how long the server is under load before it is killed.
const killAfter = 3 * time.Second

// killed kills the server under load, starts it again, and looks whether anything was lost.
func (l *load) killed(ctx context.Context, start func() (*drive.Server, error)) (*drive.Server, error) {
	during, end := context.WithCancel(ctx)
	defer end()
	wait := l.write(during, func(w drive.Write) {
		if w.Code == 0 { // the server is gone
			end()
		}
	})
	var killing error
	timer := time.AfterFunc(killAfter, func() { killing = l.server.Kill() })
	defer timer.Stop()
	l.attack(during, 0, 2*killAfter, func(*vegeta.Result) {})
	end()
	wait()
	if killing != nil {
		return nil, killing
	}
	again, err := start()
	if err != nil {
		return nil, err
	}
	// It has another address, by which sessions are not those of before.
	if l.writer.Access.Session, err = again.SignIn(ctx); err != nil {
		return again, err
	}
	if err := l.writer.Kept(ctx, again); err != nil {
		return again, err
	}
	began := time.Now()
	compared, findings, err := drive.Compare(ctx, again, l.access.Token, l.state)
	if err != nil {
		return again, err
	}
	fmt.Printf("killed and started again: %d acknowledged writes are there, and %d lists are what a scan of %d findings gives (%s)\n\n",
		l.writer.Acknowledged(), compared, findings, time.Since(began).Round(time.Second))
	return again, nil
}
