package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

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
	width, terminal := size(c.stderr)
	switch {
	case c.quiet:
		return quiet{}
	case terminal && moves(c.stderr):
		return newBars(c.stderr, width, services, drawEvery)
	default:
		return newLines(c.stderr, linesEvery)
	}
}

type quiet struct{ pipeline.Silent }

func (quiet) stop() {}

// bars draws a line for each service under way, with the resources it has found, and
// under them how far the audit is as a whole, again and again in the same place.
type bars struct {
	w        io.Writer
	width    int // of a line
	services int // to collect
	began    time.Time

	mu               sync.Mutex
	running          []*underWay // in the order in which they began
	ended, resources int

	drawn int // lines that are on the screen; only the drawing knows
	done  chan struct{}
	over  sync.WaitGroup
}

// underWay is a service that is being collected.
type underWay struct {
	service   string
	resources int
}

const (
	drawEvery    = 120 * time.Millisecond
	serviceWidth = 18 // of the longest name, and a space
	wholeWidth   = 24
	mostLines    = 16 // fewer than a terminal has
)

func newBars(w io.Writer, width, services int, every time.Duration) *bars {
	b := &bars{w: w, width: width, services: services, began: time.Now(), done: make(chan struct{})}
	b.over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-b.done:
				b.draw(nil)
				return
			case <-tick.C:
				b.draw(b.lines())
			}
		}
	})
	return b
}

// draw puts lines where those before stand.
func (b *bars) draw(lines []string) {
	var frame strings.Builder
	if b.drawn > 0 {
		frame.WriteString(text.CursorUp.Sprintn(b.drawn) + "\r\x1b[J") // which erases all that is below
	}
	for _, line := range lines {
		if b.width > 0 {
			line = text.Trim(line, b.width-1) // a line that is full moves some terminals on to the next
		}
		frame.WriteString(line + "\n")
	}
	b.drawn = len(lines)
	fmt.Fprint(b.w, frame.String()) // at once, so that nobody sees half of it
}

func (b *bars) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, u := range b.running[:min(len(b.running), mostLines)] {
		all = append(all, fmt.Sprintf("  %-*s%s", serviceWidth, u.service, report.Count(u.resources, "resource")))
	}
	if more := len(b.running) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("  and %d more", more))
	}
	full := 0
	if b.services > 0 {
		full = min(b.ended*wholeWidth/b.services, wholeWidth)
	}
	return append(all, fmt.Sprintf("[%-*s] %d of %d services, %s, %s", wholeWidth, strings.Repeat("=", full),
		b.ended, b.services, report.Count(b.resources, "resource"), time.Since(b.began).Truncate(time.Second)))
}

// find is where a service is among those under way, or -1.
func (b *bars) find(service string) int {
	return slices.IndexFunc(b.running, func(u *underWay) bool { return u.service == service })
}

func (b *bars) TaskStarted(t model.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = append(b.running, &underWay{service: t.Service})
}

func (b *bars) Resource(service string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resources++
	if i := b.find(service); i >= 0 {
		b.running[i].resources++
	}
}

func (b *bars) TaskEnded(t model.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended++
	if i := b.find(t.Service); i >= 0 {
		b.running = slices.Delete(b.running, i, i+1)
	}
}

func (b *bars) stop() {
	close(b.done)
	b.over.Wait()
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
