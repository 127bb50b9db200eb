package main

import (
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// progress is a pipeline.Progress that ends with the audit.
type progress interface {
	pipeline.Progress
	stop()
}

// newProgress shows bars on a terminal, a line every ten seconds elsewhere, and
// nothing when asked to be quiet. services is how many there are to collect.
func (c *cli) newProgress(services int) progress {
	_, terminal := size(c.stderr)
	switch {
	case c.quiet:
		return quiet{}
	case terminal:
		return newBars(c.stderr, services)
	default:
		return newLines(c.stderr, linesEvery)
	}
}

type quiet struct{ pipeline.Silent }

func (quiet) stop() {}

// bars shows a line for each service under way, with the resources it has found,
// and under them how far the audit is as a whole.
type bars struct {
	mu      sync.Mutex
	all     *mpb.Progress
	whole   *mpb.Bar
	running map[string]*mpb.Bar
	// resources is read while bars are drawn, when mu may be held by one who waits
	// for the drawing to end.
	resources atomic.Int64
}

const (
	serviceWidth = 18 // of the longest name, and a space
	wholeWidth   = 24
)

func newBars(w io.Writer, services int, options ...mpb.ContainerOption) *bars {
	b := &bars{all: mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(wholeWidth)}, options...)...), running: map[string]*mpb.Bar{}}
	b.whole = b.all.New(int64(services), mpb.BarStyle().Filler("=").Padding(" "), mpb.BarPriority(math.MaxInt), mpb.BarRemoveOnComplete(),
		mpb.AppendDecorators(
			decor.CountersNoUnit("%d of %d services, "),
			decor.Any(func(decor.Statistics) string { return report.Count(int(b.resources.Load()), "resource") + ", " }),
			decor.Elapsed(decor.ET_STYLE_GO),
		))
	return b
}

func (b *bars) TaskStarted(t model.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running[t.Service] = b.all.New(0, mpb.SpinnerStyle().PositionLeft(), mpb.BarRemoveOnComplete(), mpb.BarWidth(1),
		mpb.AppendDecorators(
			decor.Name(t.Service, decor.WC{W: serviceWidth, C: decor.DindentRight}),
			decor.Any(func(s decor.Statistics) string { return report.Count(int(s.Current), "resource") }),
		))
}

func (b *bars) Resource(service string) {
	b.resources.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if bar := b.running[service]; bar != nil {
		bar.Increment()
	}
}

func (b *bars) TaskEnded(t model.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bar := b.running[t.Service]; bar != nil {
		bar.SetTotal(-1, true)
		delete(b.running, t.Service)
	}
	b.whole.Increment()
}

func (b *bars) stop() {
	b.mu.Lock()
	for service, bar := range b.running {
		bar.Abort(true)
		delete(b.running, service)
	}
	b.mu.Unlock()
	b.whole.Abort(true)
	b.all.Wait()
}

// linesEvery is how often an audit says how far it is where bars cannot be
// drawn.
const linesEvery = 10 * time.Second

// lines writes one line every so often.
type lines struct {
	mu                        sync.Mutex
	w                         io.Writer
	started, ended, resources int
	done                      chan struct{}
	over                      sync.WaitGroup
}

func newLines(w io.Writer, every time.Duration) *lines {
	l := &lines{w: w, done: make(chan struct{})}
	l.over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
				l.say()
			}
		}
	})
	return l
}

func (l *lines) say() {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "cloudarq: %d services done, %d under way, %d resources\n", l.ended, l.started-l.ended, l.resources)
}

func (l *lines) TaskStarted(model.Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started++
}

func (l *lines) Resource(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resources++
}

func (l *lines) TaskEnded(model.Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended++
}

func (l *lines) stop() {
	close(l.done)
	l.over.Wait()
}
