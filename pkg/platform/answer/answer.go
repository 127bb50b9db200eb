// Package answer keeps what an http.Handler answers, for whoever hands it on by another way
// than a connection.
package answer

import (
	"bytes"
	"net/http"
)

// Recorder is an http.ResponseWriter that keeps what is written. Make it with New. It has no
// status until a header or a body is written: a handler that writes neither means 200.
type Recorder struct {
	Status int
	Body   bytes.Buffer
	header http.Header
}

// New makes a Recorder.
func New() *Recorder { return &Recorder{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (r *Recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter. The first status counts.
func (r *Recorder) WriteHeader(status int) {
	if r.Status == 0 {
		r.Status = status
	}
}

// Write implements http.ResponseWriter.
func (r *Recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.Body.Write(p)
}
