// Package emulator runs the AWS emulator for tests: moto behind a stricter launcher, in a process of its own.
//
// One server answers for all regions and accounts. Access control is that of AWS where an audit would notice: roles trust or refuse,
// policies allow or deny, sessions expire. See strict_moto/ for what it does and how.
package emulator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Options say how the emulator behaves.
type Options struct {
	Enforce bool      // check keys, sessions, policies and trust
	Stderr  io.Writer // where the emulator complains; nil drops it
}

// Server is a running emulator.
type Server struct {
	URL string // of the endpoint, for all services, regions and accounts

	process *exec.Cmd
	stdin   io.Closer // the emulator ends when this closes, even if it closes because we crashed
}

// Call is one AWS call the emulator was asked to make.
type Call struct {
	Service   string `json:"service"` // as botocore names it, for example "elbv2"
	Operation string `json:"operation"`
	Region    string `json:"region"`
	Account   string `json:"account"`
	Outcome   string `json:"outcome"` // ok, error, denied, unsupported, canned, disconnected, or the kind of a fault
}

// Kinds of faults.
const (
	Throttle = "throttle" // the service's own throttling error
	Error500 = "error500" // an internal error
	Garbage  = "garbage"  // success, with a body no client can read
	Reset    = "reset"    // the connection closes without an answer
	Hang     = "hang"     // the same, but only after Seconds
	Delay    = "delay"    // the right answer, after Seconds
)

// Fault makes matching calls go wrong. Empty selectors match everything.
type Fault struct {
	Service   string  `json:"service,omitempty"`
	Operation string  `json:"operation,omitempty"`
	Region    string  `json:"region,omitempty"`
	Account   string  `json:"account,omitempty"`
	Times     int     `json:"times"` // how often; 0 for ever
	Kind      string  `json:"kind"`
	Seconds   float64 `json:"seconds,omitempty"`
}

// Answer is given instead of the emulator's own, most usefully for operations it does not implement.
// An empty account or region stands for all.
type Answer struct {
	Service   string
	Operation string
	Account   string
	Region    string
	Status    int    // 0 means 200
	Body      string // sent as it is, or the message if Code is set
	Code      string // makes the answer an error in the service's own format
}

// startTimeout is long because the first start on a machine may have to install moto.
const startTimeout = 5 * time.Minute

// client shares no connections with the code under test, whose idle connections tests may count or close.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

// Start runs an emulator until Close, or until ctx is done.
func Start(ctx context.Context, o Options) (*Server, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "test", "emulator")
	enforce := "--no-enforce"
	if o.Enforce {
		enforce = "--enforce"
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "python"), "-m", "strict_moto", "--port", "0", enforce)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = o.Stderr
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start emulator: %w", err)
	}
	s := &Server{process: cmd, stdin: stdin}
	if s.URL, err = readURL(stdout); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ForTest runs an emulator for one test or benchmark and ends it with the test.
func ForTest(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Stderr == nil {
		o.Stderr = t.Output()
	}
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close emulator: %v", err)
		}
	})
	return s
}

// Close ends the emulator and waits for it to be gone.
func (s *Server) Close() error {
	if err := s.stdin.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return s.process.Wait()
}

// SCP sets the account's service control policy; an empty policy lifts it.
func (s *Server) SCP(account, policy string) error {
	if policy == "" {
		return s.control(http.MethodDelete, "scp/"+account, nil, nil)
	}
	return s.control(http.MethodPost, "scp/"+account, json.RawMessage(policy), nil)
}

// Fault adds rules. The first that matches a call strikes.
func (s *Server) Fault(rules ...Fault) error {
	return s.control(http.MethodPost, "faults", rules, nil)
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() error {
	return s.control(http.MethodDelete, "faults", nil, nil)
}

// Answer lays down an answer, in place of an earlier one for the same operation, account and region.
func (s *Server) Answer(a Answer) error {
	return s.control(http.MethodPost, "answers", a.rule(), nil)
}

// Retract takes an answer back that was laid down. Those of others stay: the sample
// accounts consist of some.
func (s *Server) Retract(a Answer) error {
	return s.control(http.MethodDelete, "answers", a.rule(), nil)
}

func (a Answer) rule() map[string]any {
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	return map[string]any{
		"service":   a.Service,
		"operation": a.Operation,
		"account":   orAny(a.Account),
		"region":    orAny(a.Region),
		"status":    a.Status,
		"body":      a.Body,
		"code":      a.Code,
	}
}

// Calls lists the AWS calls since the start or the last ResetCalls, in the order they ended.
func (s *Server) Calls() ([]Call, error) {
	var calls []Call
	err := s.control(http.MethodGet, "calls", nil, &calls)
	return calls, err
}

// ResetCalls forgets the calls so far.
func (s *Server) ResetCalls() error {
	return s.control(http.MethodDelete, "calls", nil, nil)
}

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// control asks one of the emulator's own endpoints; in and out may be nil.
func (s *Server) control(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("emulator %s: %w", path, err)
	}
	req, err := http.NewRequest(method, s.URL+"/emulator/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("emulator %s %s: %s: %s", method, path, resp.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// readURL reads the one line that the emulator prints when it is ready.
func readURL(stdout io.Reader) (string, error) {
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(stdout).ReadBytes('\n')
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", fmt.Errorf("emulator ended before it was ready: %w", l.err)
		}
		var ready struct{ URL string }
		if err := json.Unmarshal(l.text, &ready); err != nil {
			return "", fmt.Errorf("emulator said %q: %w", l.text, err)
		}
		return ready.URL, nil
	case <-time.After(startTimeout):
		return "", fmt.Errorf("emulator not ready after %s", startTimeout)
	}
}

// Root is the directory of go.mod, above the directory a test runs in. Paths from the compiler would not do: -trimpath cuts them.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("emulator: no go.mod above the working directory")
		}
		dir = parent
	}
}
