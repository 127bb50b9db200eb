package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/test/emulator"
)

// wire stands between the command and the emulator, and sees each request.
type wire struct {
	mu       sync.Mutex
	requests [][]byte // as they were sent

	// at, when set, is told of each request: before it is passed on, and after it was
	// answered, when the answer is not passed on yet. True drops the connection.
	at func(operation string, answered bool) (drop bool)
}

// tap makes this process's commands reach the emulator over a wire.
func tap(t *testing.T, server *emulator.Server) *wire {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	listener := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		sent, err := httputil.DumpRequest(r, true)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		w.mu.Lock()
		w.requests = append(w.requests, sent)
		at := w.at
		w.mu.Unlock()
		if at == nil {
			proxy.ServeHTTP(rw, r)
			return
		}
		operation := form.Get("Action")
		if at(operation, false) {
			panic(http.ErrAbortHandler)
		}
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		if at(operation, true) {
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}))
	t.Cleanup(listener.Close)
	t.Setenv("AWS_ENDPOINT_URL", listener.URL)
	return w
}

// on sets what is told of each request from now on.
func (w *wire) on(at func(operation string, answered bool) (drop bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
}

// sent are the requests so far.
func (w *wire) sent() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}
