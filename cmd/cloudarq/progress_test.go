package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

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
	b := newBars(&w, len(services)+1, mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond), mpb.WithWidth(80))
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
		time.Sleep(20 * time.Millisecond)
		b.stop()
	}()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Fatal("drawing and auditing wait for each other")
	}
	for _, want := range []string{"ec2", "1 resource\n", "6 of 7 services, 121 resources"} {
		if !strings.Contains(strings.ReplaceAll(w.String(), "\r", ""), want) {
			t.Errorf("never drew %q", want)
		}
	}
	frames := strings.Split(w.String(), "\x1b[")
	if last := frames[len(frames)-1]; strings.Contains(last, "services") {
		t.Errorf("left on the screen: %q", last)
	}
}
