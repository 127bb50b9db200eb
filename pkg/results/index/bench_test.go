package index_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// estate is the findings of a connection as accounts have them: a few hundred checks, some
// findings of each resource, names that nobody else has.
func estate(connection, findings int) []index.Entry {
	r := rand.New(rand.NewPCG(uint64(connection), 1)) //nolint:gosec // made up, and the same each time
	account := fmt.Sprintf("%012d", 100_000_000_000+connection)
	services := []string{"ec2", "s3", "iam", "kms", "lambda", "rds", "logs", "sqs"}
	regions := []string{"eu-west-1", "us-east-1", "eu-central-1"}
	entries := make([]index.Entry, 0, findings)
	for n := 0; len(entries) < findings; n++ {
		service, region := services[r.IntN(len(services))], regions[r.IntN(len(regions))]
		ref := model.Ref{
			ARN:     fmt.Sprintf("arn:aws:%s:%s:%s:thing/%s-%08x%08x", service, region, account, []string{"web", "orders", "billing", "data"}[r.IntN(4)], r.Uint32(), r.Uint32()),
			Account: account, Region: region, Name: fmt.Sprintf("thing-%d", n),
		}
		for range min(1+r.IntN(5), findings-len(entries)) {
			check := model.CheckID(fmt.Sprintf("%s-check-%d", service, r.IntN(50)))
			f := model.Finding{
				ID: model.NewFindingID(check, model.Ref{ARN: fmt.Sprint(ref.ARN, len(entries)), Account: account}), Check: check, Service: service, Kind: "AWS::" + service + "::Thing",
				Severity: model.Severities()[r.IntN(4)], Connection: model.ConnectionID(fmt.Sprintf("c%05d", connection)), Resource: ref, State: model.FindingOpen,
				Reason:    fmt.Sprintf("KmsKeyId of %s is not set, and the default of the account is off (%d)", ref.Name, r.IntN(1000)),
				FirstSeen: began.Add(-time.Duration(r.IntN(365)) * 24 * time.Hour),
			}
			if r.IntN(3) == 0 {
				f.State, f.Why, f.ResolvedAt = model.FindingResolved, model.WhyFixed, began
			}
			entries = append(entries, index.Entry{Finding: f, Tags: map[string]string{"env": []string{"prod", "dev"}[r.IntN(2)]}, TagsKnown: true})
		}
	}
	return entries
}

const (
	benchFindings    = 500_000
	benchConnections = 10_000
)

func segments(b *testing.B) (all [][]byte) {
	b.Helper()
	for n := range benchConnections {
		entries := estate(n, benchFindings/benchConnections)
		raw, err := index.Encode(index.Head{Connection: entries[0].Connection, Read: began}, nil, entries)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

// BenchmarkBuild writes the segment of one connection of 50 findings, and of 50,000.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{50, 50_000} {
		entries := estate(1, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			size := 0
			for b.Loop() {
				raw, err := index.Encode(index.Head{Connection: "c", Read: began}, nil, entries)
				if err != nil {
					b.Fatal(err)
				}
				size = len(raw)
			}
			b.ReportMetric(float64(size)/float64(n), "stored-B/finding")
		})
	}
}

// BenchmarkLoad reads 500,000 findings of 10,000 connections from segments.
func BenchmarkLoad(b *testing.B) {
	all := segments(b)
	stored := 0
	for _, raw := range all {
		stored += len(raw)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var view *index.View
	for b.Loop() {
		var err error
		if view, err = index.Load(all...); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(stored)/benchFindings, "stored-B/finding")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "heap-MB")
	b.ReportMetric(float64(view.Bytes())/1e6, "said-MB")
	runtime.KeepAlive(all)
}

// BenchmarkAsk answers queries over 500,000 findings of 10,000 connections: a first page
// of 50.
func BenchmarkAsk(b *testing.B) {
	view, err := index.Load(segments(b)...)
	if err != nil {
		b.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }, Grants: "all"}
	for _, one := range []struct {
		name string
		q    index.Query
	}{
		{"all", index.Query{}},
		{"open,gravest", index.Query{Words: []string{"state=open,reopened", "severity=critical,high"}}},
		{"newest", index.Query{Sort: []index.Order{{Field: "first_seen", Desc: true}}}},
		{"by-account", index.Query{Sort: []index.Order{{Field: "account"}}}},
		{"by-resource", index.Query{Sort: []index.Order{{Field: "resource"}}}},
		{"resource=*web*", index.Query{Words: []string{"resource=*web*"}}},
		{"resource=*w?b*", index.Query{Words: []string{"resource=*w?b*"}}},
		{"id=aa*", index.Query{Words: []string{"id=aa*"}}},
		{"one-account", index.Query{Words: []string{"account=100000000077"}}},
		{"tag,since", index.Query{Words: []string{"tag:env=prod", "first_seen>=2026-01-01"}}},
		{"facets", index.Query{Words: []string{"state=open"}, Groups: []index.Group{{Field: "severity", Limit: 50}, {Field: "service", Limit: 50}, {Field: "region", Limit: 50}, {Field: "check", Limit: 50}, {Field: "account", Limit: 50}}}},
		{"by-resources", index.Query{Groups: []index.Group{{Field: "resource", Limit: 50}}}},
	} {
		b.Run(one.name, func(b *testing.B) {
			one.q.Limit = 50
			b.ReportAllocs()
			for b.Loop() {
				if _, err := view.Ask(b.Context(), index.Checks{}, plain{}, who, one.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkView keeps 500,000 findings of 10,000 connections: what a process does first,
// what the page after the end of one audit costs, and one after nothing.
func BenchmarkView(b *testing.B) {
	w := newWorld()
	o := w.org(w.table)
	for n := range benchConnections {
		entries := estate(n, benchFindings/benchConnections)
		id := entries[0].Connection
		if err := o.PutConnection(b.Context(), &model.Connection{ID: id, State: model.ConnectionActive}); err != nil {
			b.Fatal(err)
		}
		if err := w.change(b.Context(), w.table, id, "s3", entries); err != nil {
			b.Fatal(err)
		}
	}
	look := func(b *testing.B, k *index.Keeper) {
		b.Helper()
		if v, err := k.View(b.Context()); err != nil || v.Len() != benchFindings {
			b.Fatal(v.Len(), err)
		}
	}
	b.Run("first-ever", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			for n := range store.Shards {
				if err := w.blobs.Delete(b.Context(), fmt.Sprintf("index/org=%s/shard=%02d/findings.v1", org, n)); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			look(b, w.keeper(w.table))
		}
	})
	b.Run("first-of-a-process", func(b *testing.B) {
		for b.Loop() {
			look(b, w.keeper(w.table))
		}
	})
	k := w.keeper(w.table)
	look(b, k)
	b.Run("after-an-audit", func(b *testing.B) {
		for b.Loop() {
			if err := k.Renew(b.Context(), "c00001"); err != nil {
				b.Fatal(err)
			}
			look(b, k)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			look(b, k)
		}
	})
}
