package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/pipeline"
)

// progress is a pipeline.Progress that ends with the audit.
type progress interface {
	pipeline.Progress
	stop()
}

// newProgress shows bars on a terminal, a line every ten seconds elsewhere, and
// nothing when asked to be quiet.
func (c *cli) newProgress() progress {
	_, terminal := size(c.stderr)
	switch {
	case c.quiet:
		return quiet{}
	case terminal:
		return newBars(c.stderr)
	default:
		return newLines(c.stderr, linesEvery)
	}
}

type quiet struct{ pipeline.Silent }

func (quiet) stop() {}

// bars shows a bar for each service under way, with the resources it has found.
type bars struct {
	mu      sync.Mutex
	all     *mpb.Progress
	running map[string]*mpb.Bar
}

func newBars(w io.Writer) *bars {
	return &bars{all: mpb.New(mpb.WithOutput(w), mpb.WithWidth(24)), running: map[string]*mpb.Bar{}}
}

func (b *bars) TaskStarted(t model.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running[t.Service] = b.all.New(0, mpb.SpinnerStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(t.Service, decor.WC{W: 20, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.CurrentNoUnit("%d resources")))
}

func (b *bars) Resource(service string) {
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
}

func (b *bars) stop() {
	b.mu.Lock()
	for service, bar := range b.running {
		bar.Abort(true)
		delete(b.running, service)
	}
	b.mu.Unlock()
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
