package drive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/serve"
)

// Server is a process that serves a data directory.
type Server struct {
	URL  string
	cmd  *exec.Cmd
	rest chan struct{} // is closed when nobody writes to its log any more
}

// Start has a command serve, which is cloudarq with the arguments and the environment that
// it is to have beside its own. It answers when the server does.
func Start(cmd *exec.Cmd, dir string) (*Server, error) {
	cmd.Args = append(cmd.Args, "serve", "--listen", "localhost:0", "--organization", string(local.Organization), "--data-dir", dir)
	cmd.Env = append(cmd.Env, environment(dir)...)
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{cmd: cmd, rest: make(chan struct{})}
	lines := bufio.NewScanner(log)
	var said strings.Builder
	for s.URL == "" && lines.Scan() {
		var line struct{ Msg, URL string }
		if err := json.Unmarshal(lines.Bytes(), &line); err == nil && line.Msg == "serving" {
			s.URL = line.URL
		}
		said.WriteString(lines.Text() + "\n")
	}
	if s.URL == "" {
		return nil, errors.Join(cmd.Wait(), fmt.Errorf("the server does not serve: %s", said.String()))
	}
	go func() { // so that it does not wait for who reads its log
		defer close(s.rest)
		_, _ = io.Copy(io.Discard, log)
	}()
	return s, nil
}

// environment is that of this process, without what leads to AWS or to a keyring of people.
func environment(dir string) []string {
	var all []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "CLOUDARQ_") {
			all = append(all, v)
		}
	}
	return append(all, "XDG_CONFIG_HOME="+dir, "XDG_RUNTIME_DIR="+dir, "DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=",
		"AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true")
}

// Kill ends the process as a lack of memory does: it does nothing any more.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.rest
	_ = s.cmd.Wait() // which says that it was killed
	return nil
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// Peak is the most memory that the process had, in bytes; 0 where the system does not say.
func (s *Server) Peak() int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	line := peakLine.FindSubmatch(text)
	if line == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(line[1]), 10, 64)
	return n << 10
}

// clockTick is in what Linux counts processor time: USER_HZ, which is 100 on all
// architectures that Go has (proc_pid_stat(5)).
const clockTick = 10 * time.Millisecond

// Worked is the processor time that the process took; 0 where the system does not say.
func (s *Server) Worked() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name of the command
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick
}

// Access is what requests are let in by.
type Access struct {
	Token   string // an API token that reads and changes connections
	Session string // the access token of whoever made it
}

const (
	password = "four words of theirs" //nolint:gosec // of a directory that the bench made
	email    = "load@example.com"
)

// Join makes an administrator of a server's organization, and gives what lets requests in.
func (s *Server) Join(ctx context.Context, state *local.State) (a Access, err error) {
	_, invitation, err := serve.Operator{Store: state.Store, Now: time.Now}.Invite(ctx, local.Organization, email)
	if err != nil {
		return a, err
	}
	if err := s.Call(ctx, "", http.MethodPost, "/v1/invitations/acceptance", map[string]any{"token": invitation.Reveal(), "name": "Load", "password": password}, nil); err != nil {
		return a, err
	}
	if a.Session, err = s.SignIn(ctx); err != nil {
		return a, err
	}
	var made struct{ Token string }
	err = s.Call(ctx, a.Session, http.MethodPost, "/v1/tokens", map[string]any{"name": "load", "scopes": []string{"read", "connections"}}, &made)
	a.Token = made.Token
	return a, err
}

// SignIn begins another session of who joined.
func (s *Server) SignIn(ctx context.Context) (access string, err error) {
	var in struct {
		AccessToken string `json:"access_token"`
	}
	err = s.Call(ctx, "", http.MethodPost, "/v1/sign-in", map[string]any{"email": email, "password": password}, &in)
	return in.AccessToken, err
}

// StatusError is an answer that is no success.
type StatusError struct {
	Code int
	Body string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Code, e.Body) }

// Call makes a request and reads its answer; what is no success is a *StatusError.
func (s *Server) Call(ctx context.Context, token, method, path string, in, out any) error {
	_, err := s.call(ctx, token, method, path, nil, in, out)
	return err
}

func (s *Server) call(ctx context.Context, token, method, path string, header http.Header, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return answer.Header, &StatusError{answer.StatusCode, string(text)}
	}
	if out != nil {
		err = json.Unmarshal(text, out)
	}
	return answer.Header, err
}
