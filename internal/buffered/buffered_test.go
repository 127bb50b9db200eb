package buffered_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cloudarq/cloudarq/internal/buffered"
)

type server func(*http.Request) (*http.Response, error)

func (s server) Do(r *http.Request) (*http.Response, error)        { return s(r) }
func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// body says when it is closed, as the SDK closes its own.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

// TestBuffered: what is sent outlives the body that was given, with its length; a body
// that cannot be read is not sent.
func TestBuffered(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(server) func(*http.Request) (*http.Response, error){
		"client":    func(s server) func(*http.Request) (*http.Response, error) { return buffered.Client(s).Do },
		"transport": func(s server) func(*http.Request) (*http.Response, error) { return buffered.Transport(s).RoundTrip },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := 0
			do := wrap(func(r *http.Request) (*http.Response, error) { //nolint:bodyclose // it has none
				sent++
				if r.Body == nil {
					return &http.Response{}, nil
				}
				got, err := io.ReadAll(r.Body)
				if string(got) != "said" || err != nil || r.ContentLength != 4 {
					t.Errorf("sent %q of %d bytes, %v", got, r.ContentLength, err)
				}
				return &http.Response{}, nil
			})
			given := &body{Reader: strings.NewReader("said")}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", given)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := do(request); err != nil || !given.closed || request.Body != given { //nolint:bodyclose // it has none
				t.Errorf("%v; closed: %v", err, given.closed)
			}
			request.Body = nil
			if _, err := do(request); err != nil { //nolint:bodyclose // it has none
				t.Error(err)
			}
			broken := errors.New("broken")
			request.Body = io.NopCloser(iotest.ErrReader(broken))
			if _, err := do(request); !errors.Is(err, broken) || sent != 2 { //nolint:bodyclose // it has none
				t.Errorf("%v after %d requests", err, sent)
			}
		})
	}
}
