package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Patience is how long somebody has to sign in in the browser.
const Patience = 5 * time.Minute

// ErrRefused says that somebody refused in the browser.
var ErrRefused = errors.New("the sign-in was refused in the browser")

// Browser signs in as who is signed in in a browser on this computer: it is sent to a page
// of the server, which sends it on with a code to an address of this process's own
// (https://www.rfc-editor.org/rfc/rfc8252, section 7.3), for a verifier that only this
// process knows (https://www.rfc-editor.org/rfc/rfc7636). show is called with the page once,
// and may open it.
func Browser(ctx context.Context, c *client.Client, show func(page string)) (Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	state, verifier := drawn(), drawn()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return Credentials{}, fmt.Errorf("listen for the browser: %w", err)
	}
	w := &waiting{host: listener.Addr().String(), state: state, came: make(chan answer, 1)}
	server := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() { _ = server.Serve(listener) }()
	defer func() {
		shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(shut) != nil { // which lets the page be read
			_ = server.Close()
		}
	}()
	digest := sha256.Sum256([]byte(verifier))
	_, port, err := net.SplitHostPort(w.host)
	if err != nil {
		return Credentials{}, err
	}
	show(c.Server() + "/authorize?" + url.Values{
		"port": {port}, "state": {state}, "challenge": {base64.RawURLEncoding.EncodeToString(digest[:])},
	}.Encode())
	select {
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return Credentials{}, fmt.Errorf("nobody signed in in the browser within %.0f minutes: %w", Patience.Minutes(), ctx.Err())
		}
		return Credentials{}, ctx.Err()
	case a := <-w.came:
		if a.refused {
			return Credentials{}, ErrRefused
		}
		in, err := c.TakeOver(ctx, secret.New(a.code), secret.New(verifier))
		if err == nil && (in.AccessToken == "" || in.RefreshToken == "") {
			err = fmt.Errorf("what answers at %s is not CloudArq's API: it gives no tokens", c.Server())
		}
		if err != nil {
			return Credentials{}, err
		}
		return session(c.Server(), in), nil
	}
}

// drawn is 32 random bytes as base64url.
func drawn() string {
	bytes := make([]byte, 32)
	_, _ = rand.Read(bytes) // which cannot fail
	return base64.RawURLEncoding.EncodeToString(bytes)
}

// answer is what a browser brings.
type answer struct {
	code    string
	refused bool
}

// waiting answers the one request of the browser that shows the state, which nobody else
// knows, and that one once.
type waiting struct {
	host, state string
	came        chan answer // of one
	answered    atomic.Bool
}

// page is what the browser shows at last. Nothing in it comes from the request.
const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cloudarq</title></head>
<body><p>%s You can close this window and go back to the terminal.</p></body></html>
`

// ServeHTTP implements http.Handler.
func (w *waiting) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	h := out.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
	query := r.URL.Query()
	right := r.Host == w.host && subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(w.state)) == 1
	if r.Method != http.MethodGet || r.URL.Path != "/callback" || !right {
		http.Error(out, "nothing is here", http.StatusNotFound)
		return
	}
	a := answer{code: query.Get("code"), refused: query.Get("error") != ""}
	if a.code == "" && !a.refused {
		http.Error(out, "nothing is here", http.StatusNotFound)
		return
	}
	text := "The command goes on."
	if a.refused {
		text = "The command was not signed in."
	}
	body := fmt.Sprintf(page, text)
	if w.answered.Swap(true) {
		http.Error(out, "nothing is here any more", http.StatusGone)
		return
	}
	w.came <- a
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = io.WriteString(out, body)
}
