package emulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Buffered sends a copy of each request's body, for SDK clients that reach an
// emulator. The SDK closes the body when the answer's headers arrive, and a server
// that answers within microseconds makes net/http take that for a write error: about
// one call in a hundred would be sent twice, and what it makes would exist already
// (aws/aws-sdk-go-v2#2737). pkg/aws/client does the same.
func Buffered(next http.RoundTripper) http.RoundTripper { return bufferedBody{next} }

type bufferedBody struct{ next http.RoundTripper }

func (b bufferedBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read request body: %w", err)
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return b.next.RoundTrip(r)
}
