package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// screen is what a terminal was sent.
type screen struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent.String()
}

// Bars are drawn while services begin, find and end, from many sides at once;
// none of them may wait for another for ever.
func TestBars(t *testing.T) {
	t.Parallel()
	var w screen
	services := []string{"ec2", "iam", "s3", "kms", "sqs", "sns"}
	b := newBars(&w, 80, len(services)+1, time.Millisecond)
	over := make(chan struct{})
	go func() {
		defer close(over)
		var audit sync.WaitGroup
		for _, service := range services {
			audit.Go(func() {
				task := model.Task{Service: service}
				b.TaskStarted(task)
				for range 20 {
					b.Resource(service)
					time.Sleep(time.Millisecond)
				}
				b.TaskEnded(task)
			})
		}
		audit.Wait()
		b.TaskStarted(model.Task{Service: "never ends"}) // as when the audit is cancelled
		b.Resource("never ends")
		for !strings.Contains(w.String(), "121 resources") {
			time.Sleep(time.Millisecond)
		}
		b.stop()
	}()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Fatal("drawing and auditing wait for each other")
	}
	for _, want := range []string{"ec2", "1 resource\n", "[====================    ] 6 of 7 services, 121 resources"} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("never drew %q", want)
		}
	}
	if shown := shows(w.String()); len(shown) != 0 {
		t.Errorf("left on the screen: %q", shown)
	}
}

// shows is what a terminal has on its screen that was sent only lines, and to go up and
// erase what is below.
func shows(sent string) []string {
	var screen []string
	for sent != "" {
		var up int
		if n, _ := fmt.Sscanf(sent, "\x1b[%dA\r\x1b[J", &up); n == 1 {
			_, sent, _ = strings.Cut(sent, "\x1b[J")
			screen = screen[:len(screen)-up]
			continue
		}
		var line string
		line, sent, _ = strings.Cut(sent, "\n")
		screen = append(screen, line)
	}
	return screen
}

// TestBarsFit draws more services than a terminal has lines, on a narrow one.
func TestBarsFit(t *testing.T) {
	t.Parallel()
	b := &bars{w: &bytes.Buffer{}, width: 30, services: 2, began: time.Now()}
	for i := range 40 {
		b.TaskStarted(model.Task{Service: fmt.Sprintf("service-%d", i)})
	}
	b.TaskEnded(model.Task{Service: "service-0"})
	for range 2 {
		b.draw(b.lines())
	}
	screen := shows(b.w.(*bytes.Buffer).String())
	if len(screen) != mostLines+2 || screen[0] != "  service-1         0 resourc" || screen[mostLines] != "  and 23 more" || !strings.HasPrefix(screen[mostLines+1], "[============            ] 1") {
		t.Errorf("the screen has %d lines: %q", len(screen), screen)
	}
	for _, line := range screen {
		if len(line) > 29 {
			t.Errorf("%q is longer than the terminal's line", line)
		}
	}
}
