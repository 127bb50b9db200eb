// Package buffered sends a copy of each request's body, for SDK clients that reach an
// emulator. The SDK closes the body when the answer's headers arrive, and a server that
// answers within microseconds makes net/http take that for a write error: about one
// call in a hundred would be sent twice, and what it makes would exist already
// (aws/aws-sdk-go-v2#2737).
package buffered

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Doer sends requests, as http.Client and the SDK's clients do.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Client sends through next what is buffered.
func Client(next Doer) Doer { return send(next.Do) }

// Transport sends through next what is buffered.
func Transport(next http.RoundTripper) http.RoundTripper { return send(next.RoundTrip) }

type send func(*http.Request) (*http.Response, error)

// Do implements Doer.
func (s send) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read request body: %w", err)
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return s(r)
}

// RoundTrip implements http.RoundTripper.
func (s send) RoundTrip(r *http.Request) (*http.Response, error) { return s.Do(r) }
