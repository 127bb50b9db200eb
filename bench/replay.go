package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// replay stands between the program under test and the emulator. It asks the
// emulator once for each request and gives the remembered answer from then on,
// after a delay: what is measured is the program, on a network of known latency,
// and not how fast the emulator is.
type replay struct {
	upstream *url.URL
	client   *http.Client
	latency  atomic.Int64 // nanoseconds added to each answer

	mu      sync.Mutex
	answers map[[sha256.Size]byte]answer

	requests atomic.Int64
	missed   atomic.Int64 // answers that had to be asked of the emulator
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func newReplay(upstream string) (*replay, error) {
	u, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	return &replay{upstream: u, client: &http.Client{Timeout: time.Minute}, answers: map[[sha256.Size]byte]answer{}}, nil
}

// serve answers on a port of this machine until the listener closes.
func (p *replay) serve() (address string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), server.Close, nil
}

// scope is the part of a signature that names date, region and service.
var scope = regexp.MustCompile(`Credential=[^/]+/[^/]+/([^/]+/[^/]+)/`)

// report asks for IAM's credential report. AWS keeps one for four hours, so that an
// audit mostly finds it there: only the finished report is remembered, not that
// there was none yet.
var report = regexp.MustCompile(`Action=GetCredentialReport\b`)

// session is the part of an AssumeRole request that is different in every run.
var session = regexp.MustCompile(`RoleSessionName=[^&]+`)

func (p *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	where := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	key := sha256.Sum256([]byte(strings.Join([]string{
		r.Method, r.URL.String(), r.Header.Get("X-Amz-Target"), fmt.Sprint(where), session.ReplaceAllString(string(body), ""),
	}, "\x00")))
	p.mu.Lock()
	a, known := p.answers[key]
	p.mu.Unlock()
	if !known {
		p.missed.Add(1)
		if a, err = p.ask(r, body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if a.status == http.StatusOK || !report.Match(body) {
			p.mu.Lock()
			p.answers[key] = a
			p.mu.Unlock()
		}
	}
	time.Sleep(time.Duration(p.latency.Load()))
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func (p *replay) ask(r *http.Request, body []byte) (answer, error) {
	target := *r.URL
	target.Scheme, target.Host = p.upstream.Scheme, p.upstream.Host
	out, err := http.NewRequestWithContext(r.Context(), r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	response, err := p.client.Do(out)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, content}, err
}
