// Command fanout lets 10,000 connections of several organizations be due within an hour,
// while somebody asks for more audits: every one must end as it should, once, with some
// messages delivered twice and several workers side by side. How long those who ask
// would wait it says by the model of package model: here the work of a minute is done
// before the next one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/bench/fairness/model"
	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/bench/rig"
)

// changed is how many of a thousand resources are something else in the second.
const changed = 20

// limit ends the bench on a machine that is too slow for it.
const limit = time.Hour

// What the process may take: the table and the evidence of all accounts are in its
// memory, and the garbage collector runs as often as in the command.
const (
	gcPercent     = 50
	bytesPerAudit = 1 << 20
	bytesBesides  = 256 << 20
)

// options are those of the bench.
func options() rig.Options {
	return rig.Options{
		Connections: 10_000, Organizations: 7, Regions: 2, Resources: 80, Twice: 30, Over: 60, Demanded: 2,
		Lean: true, Workers: 4 * runtime.GOMAXPROCS(0),
	}
}

func main() {
	o := options()
	debug.SetGCPercent(gcPercent)
	flag.IntVar(&o.Connections, "connections", o.Connections, "connections that are due")
	flag.IntVar(&o.Over, "over", o.Over, "minutes over which they are due; 0 is all in one")
	flag.IntVar(&o.Demanded, "demanded", o.Demanded, "audits that are asked for in each of these minutes")
	rounds := flag.Int("rounds", 1, "mornings: the first finds everything, later ones only what changed")
	flag.IntVar(&o.Resources, "resources", o.Resources, "resources of each account")
	flag.BoolVar(&o.Lean, "lean", o.Lean, "one check of each resource type, instead of all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := bench(ctx, o, *rounds)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, o rig.Options, rounds int) error {
	r, err := rig.New(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf("%d connections of %d organizations, due within %d minutes, %d more audits asked for in each; %d resources each in %d regions; %d workers a queue, %.0f %% of the messages delivered twice\n",
		o.Connections, o.Organizations, o.Over, o.Demanded, r.Estate.Resources(), o.Regions, o.Workers, float64(o.Twice)/10)
	for round := range rounds {
		did, err := run(ctx, r, o)
		if err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		did.print(round + 1)
	}
	table, blobs, err := r.Weight(ctx)
	if err != nil {
		return err
	}
	most := int64(o.Connections)*bytesPerAudit + bytesBesides
	fmt.Printf("\npeak memory %d MB (bound %d MB), of which the table holds %d MB and the evidence %d MB\n", peak()>>20, most>>20, table>>20, blobs>>20)
	if peak() > most {
		return errors.New("that is over the bound")
	}
	fmt.Println()
	if asked := model.Simulate(model.Deployed()).Demanded; asked.First > time.Minute {
		return fmt.Errorf("by the model of the queues who asks for an audit waits %s until it begins", asked.First)
	}
	return model.Write(os.Stdout, model.Deployed())
}

// done is what a round came to.
type done struct {
	rig.Outcome
	took time.Duration
	work map[meter.Unit]float64
}

// run does one round and looks whether it is right.
func run(ctx context.Context, r *rig.Rig, o rig.Options) (done, error) {
	r.Bill.Take()
	start := time.Now()
	ticked, err := r.Round(ctx, changed)
	d := done{took: time.Since(start), work: r.Bill.Take()}
	if err != nil {
		return d, err
	}
	if ticked.Started != o.Connections || ticked.Delayed+ticked.Skipped+ticked.Expired != 0 {
		return d, fmt.Errorf("the clock brought about %+v, want %d started", ticked, o.Connections)
	}
	if d.Outcome, err = r.Verify(ctx); err != nil {
		return d, err
	}
	// The clock again, in the same minute: nothing is due any more.
	if ticked, err = r.Tick(ctx); err != nil {
		return d, err
	}
	if ticked.Started+ticked.Delayed+ticked.Skipped+ticked.Expired != 0 {
		return d, fmt.Errorf("the same minute brought about %+v once more", ticked)
	}
	if d.Scheduled != o.Connections {
		return d, errors.New("not all audits are done")
	}
	return d, nil
}

func (d done) print(round int) {
	n := float64(d.Audits)
	fmt.Printf("\nround %d: %d audits done in %s, %d of them asked for, %d tasks, %d verdicts, %d findings open, %d new, %d resolved, %d reopened\n", round, d.Audits,
		d.took.Round(100*time.Millisecond), d.Audits-d.Scheduled, d.Tasks, d.Verdicts.Total(), d.Open, d.Changes.New, d.Changes.Resolved, d.Changes.Reopened)
	fmt.Println("work for each audit:")
	for _, u := range slices.Sorted(maps.Keys(d.work)) {
		fmt.Printf("  %-24s %10.1f\n", u, d.work[u]/n)
	}
}

// peak is the most memory that the process had.
func peak() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Maxrss * 1024 // Linux counts kilobytes
}
