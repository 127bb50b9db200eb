package lambdahost

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// server serves a handler on a loopback port until close, which waits for the
// handlers: http.Server's own Close does not.
type server struct {
	addr     string
	http     *http.Server
	served   chan struct{}
	mu       sync.Mutex
	closed   bool
	handlers sync.WaitGroup
}

func serve(h http.Handler) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &server{addr: l.Addr().String(), served: make(chan struct{})}
	s.http = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !s.begin() {
				panic(http.ErrAbortHandler) // accepted just before the end
			}
			defer s.handlers.Done()
			h.ServeHTTP(w, r)
		}),
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l) // ends with ErrServerClosed, and only so
	}()
	return s, nil
}

func (s *server) url() string { return "http://" + s.addr }

// begin counts a handler, unless the server is closed: nobody may join those that
// close waits for.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.handlers.Add(1)
	}
	return !s.closed
}

func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.http.Close() // the listener's error interests nobody
	<-s.served
	s.handlers.Wait()
}
