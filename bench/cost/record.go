package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/bench/rig"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
)

// recording is what was metered, as it is kept in the repository.
type recording struct {
	Audits []audit `json:"audits"`
	// Idle is one minute of the scheduler in which nothing is due, by how many
	// connections there are.
	Idle []idle `json:"idle"`
	// Metrics are the custom metrics that audits write, by function.
	Metrics map[string][]metrics.Name `json:"metrics"`
}

// audit is the work of one audit of one account.
type audit struct {
	Regions   int                    `json:"regions"`
	Resources int                    `json:"resources"`
	Changed   int                    `json:"changed"` // of a thousand resources since the audit before; -1 for a first audit
	Verdicts  int                    `json:"verdicts"`
	Open      int                    `json:"open"`    // findings
	Written   int                    `json:"written"` // findings
	Work      map[meter.Unit]float64 `json:"work"`
}

type idle struct {
	Connections int                    `json:"connections"`
	Work        map[meter.Unit]float64 `json:"work"`
}

// Changes between the audits of an account, of a thousand resources.
const (
	first     = -1
	unchanged = 0
	tenth     = 100
)

// size is an account to be audited.
type size struct{ resources, regions int }

// sizes: of the smallest the settings that each region has are a good part, so it
// has few regions.
func sizes() []size { return []size{{100, 4}, {1000, 17}, {10000, 17}, {100000, 17}} }

// record audits accounts of each size and writes down the work.
func record(ctx context.Context, path string, sizes []size) error {
	var all recording
	for _, s := range sizes {
		fmt.Fprintf(os.Stderr, "auditing an account of %d resources, three times\n", s.resources)
		r, err := rig.New(ctx, rig.Options{Connections: 1, Organizations: 1, Regions: s.regions, Resources: s.resources})
		if err != nil {
			return err
		}
		before := 0.0
		for _, changed := range []int{first, unchanged, tenth} {
			a, err := meterAudit(ctx, r, changed)
			if err != nil {
				return fmt.Errorf("%d resources: %w", s.resources, err)
			}
			written := r.Metrics(rig.Aggregator)[metrics.FindingsWritten]
			a.Regions, a.Written, before = s.regions, int(written-before), written
			all.Audits = append(all.Audits, a)
		}
		all.Metrics = map[string][]metrics.Name{}
		for _, function := range []string{rig.Scheduler, rig.Checker, rig.Aggregator} {
			all.Metrics[function] = slices.Sorted(maps.Keys(r.Metrics(function)))
		}
	}
	for _, n := range []int{0, 1, 100, 1000, 10000} {
		r, err := rig.New(ctx, rig.Options{Connections: n, Organizations: 10, Regions: 1, Resources: 1})
		if err != nil {
			return err
		}
		if _, err := r.Tick(ctx); err != nil {
			return err
		}
		all.Idle = append(all.Idle, idle{n, r.Bill.Take()})
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what was metered: %w", err)
	}
	return os.WriteFile(path, append(data, '\n'), 0o644) //nolint:gosec // sources are public
}

// meterAudit lets a day pass and audits the rig's one account.
func meterAudit(ctx context.Context, r *rig.Rig, changed int) (audit, error) {
	r.Bill.Take()
	if _, err := r.Round(ctx, max(changed, 0)); err != nil {
		return audit{}, err
	}
	a := audit{Changed: changed, Resources: r.Estate.Resources(), Work: r.Bill.Take()}
	out, err := r.Verify(ctx)
	if err != nil {
		return a, err
	}
	a.Verdicts, a.Open = out.Verdicts.Total(), out.Open
	return a, nil
}
