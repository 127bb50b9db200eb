package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/serve"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// childEnv makes this program a server on a data directory, instead of its tests. Its value
// says how: see house.
const childEnv = "CLOUDARQ_TEST_SERVES"

func TestMain(m *testing.M) {
	if how := os.Getenv(childEnv); how != "" {
		os.Exit(child(how, os.Args[1]))
	}
	os.Exit(m.Run())
}

func child(how, dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server, state, err := newServer(ctx, dir, slog.New(slog.NewJSONHandler(os.Stderr, nil)), house{how: how})
	if err == nil {
		server.SetUp = func(secret.String, time.Time) {}
		err = errors.Join(server.Run(ctx), state.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type door struct {
	model.Resource
	Locked fact.Of[bool] `json:"locked"`
}

func (door) Kind() string { return "Test::House::Door" }

const texts = `door-locked: {title: Doors are locked, pillar: security, risk: Thieves., remediation: {console: Lock it.},
  references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}`

// house is an account that opens, or hangs: while it is opened, or while it is collected.
type house struct{ how string }

const (
	opens    = "opens"
	hangs    = "hangs when it is opened"
	collects = "hangs when it is collected"
)

func (h house) hang(ctx context.Context, where string) error {
	if h.how != where {
		return nil
	}
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("hangs")
	<-ctx.Done()
	return ctx.Err()
}

func (h house) Open(ctx context.Context, _ model.OrganizationID, _ model.Audit, _ policy.Session, _ ledger.Ledger) (pipeline.Account, error) {
	return h, h.hang(ctx, hangs)
}

func (house) Verify(context.Context, model.OrganizationID, model.Audit, pipeline.Account, ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{}, nil
}

func (house) Config(region string, _ ledger.Ledger) aws.Config { return aws.Config{Region: region} }
func (house) HomeRegion() string                               { return "us-east-1" }
func (house) Identity() model.Identity {
	return model.Identity{Account: "111122223333", Partition: "aws"}
}

func (house) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return []string{"eu-west-1"}, nil, nil
}

func (h house) specs() map[string]collect.Spec {
	walk := func(ctx context.Context, s *collect.Session) error {
		if err := h.hang(ctx, collects); err != nil {
			return err
		}
		s.Emit(door{Resource: s.Resource(s.ARN("house", "door/front"), "front"), Locked: fact.Known(false)})
		return nil
	}
	return map[string]collect.Spec{"house": {Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind()}, Run: walk}}}}
}

func catalog() (*check.Catalog, error) {
	return check.NewCatalog(check.Service{
		Name: "house", Texts: []byte(texts), Kinds: []check.Kind{check.KindOf[door]()},
		Rules: []check.Rule{check.For("door-locked", model.High, func(e *check.Evidence, d door) check.Verdict {
			return check.Must(check.Read(e, d.Locked), "locked", "open")
		})},
	})
}

func newServer(ctx context.Context, dir string, log *slog.Logger, h house) (*serve.Server, *local.State, error) {
	all, err := catalog()
	if err != nil {
		return nil, nil, err
	}
	state, err := local.Open(ctx, dir, all)
	if err != nil {
		return nil, nil, err
	}
	keys := state.Keys(func(bool, bool) (secret.String, error) { return secret.String{}, nil })
	return &serve.Server{
		State: state, Dir: dir, Keys: keys, Specs: h.specs(), Accounts: h, Version: "test", Log: log,
		Principal: "arn:aws:iam::999999999999:root", AuditRole: "CloudArqAuditRole", Options: serve.Options{Listen: []string{"localhost:0"}},
	}, state, nil
}

// lines are the log of a server, of which a test waits for some.
type lines struct {
	t    *testing.T
	feed *bufio.Scanner
	seen strings.Builder
}

// wait reads the log up to a line of a message, and gives its fields.
func (l *lines) wait(message string) map[string]any {
	l.t.Helper()
	for l.feed.Scan() {
		l.seen.WriteString(l.feed.Text() + "\n")
		var fields map[string]any
		if err := json.Unmarshal(l.feed.Bytes(), &fields); err == nil && fields["msg"] == message {
			return fields
		}
	}
	l.t.Fatalf("the log ends without %q:\n%s", message, l.seen.String())
	return nil
}

// running is a server in this process.
type running struct {
	lines
	url   string
	port  string
	links []string // to set it up
	stop  func() error
}

// start runs a server on a data directory until its test ends, or it is stopped.
func start(t *testing.T, dir string, change func(*serve.Server)) *running {
	t.Helper()
	from, to := io.Pipe()
	server, state, err := newServer(t.Context(), dir, slog.New(slog.NewJSONHandler(to, nil)), house{how: opens})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{lines: lines{t: t, feed: bufio.NewScanner(from)}}
	server.SetUp = func(link secret.String, _ time.Time) { r.links = append(r.links, link.Reveal()) }
	if change != nil {
		change(server)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := errors.Join(server.Run(ctx), state.Close())
		_ = to.Close()
		ended <- err
	}()
	r.stop = sync.OnceValue(func() error {
		cancel()
		for r.feed.Scan() { // so that nobody waits for who reads the log
			r.seen.WriteString(r.feed.Text() + "\n")
		}
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	_, r.port, err = net.SplitHostPort(fmt.Sprint(r.wait("listening")["address"]))
	if err != nil {
		t.Fatal(err)
	}
	r.url = fmt.Sprint(r.wait("serving")["url"])
	return r
}

// answer is what a client sees.
type answer struct {
	status int
	proto  int
	header http.Header
	body   string
	serial int64 // of the server's certificate
	err    error
}

// code is that of a problem.
func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &p) // no problem has none
	return p.Code
}

// ask asks for a URL, with a Host if one is given.
func ask(ctx context.Context, client *http.Client, url, host string) answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	request.Host = host
	response, err := client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	body, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, proto: response.ProtoMajor, header: response.Header, body: string(body), err: errors.Join(err, response.Body.Close())}
	if response.TLS != nil {
		a.serial = response.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	return a
}

// get asks for a path, and reads the log meanwhile, to where it speaks of the request. Of
// health it does not.
func (r *running) get(path, host string) answer {
	r.t.Helper()
	answers := make(chan answer, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() { answers <- ask(r.t.Context(), client, "http://127.0.0.1:"+r.port+path, host) }()
	if path != "/healthz" {
		r.wait("request answered")
	}
	a := <-answers
	if a.err != nil {
		r.t.Fatal(a.err)
	}
	return a
}

// send makes a request of somebody's, and reads the log meanwhile.
func (r *running) send(method, path, token string, body, out any) int {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, "http://127.0.0.1:"+r.port+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	statuses := make(chan int, 1)
	go func() {
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			statuses <- 0
			return
		}
		_ = json.NewDecoder(response.Body).Decode(out) // what is not there is missed
		_ = response.Body.Close()
		statuses <- response.StatusCode
	}()
	r.wait("request answered")
	return <-statuses
}

// TestFirstAdministrator comes in by the link, and seals what has to be: a second factor,
// and the client secret of a provider of sign-ins.
func TestFirstAdministrator(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), func(s *serve.Server) { s.Options.PublicURL = "https://cloudarq.example.com" })
	const password = "four words of hers"
	var in struct {
		AccessToken string `json:"access_token"`
	}
	link := strings.SplitN(r.links[0], "#", 2)[1]
	if status := r.send(http.MethodPost, "/v1/invitations/acceptance", "", map[string]string{"token": link, "name": "Anna", "password": password}, &in); status != http.StatusOK || in.AccessToken == "" {
		t.Fatalf("the link: status %d", status)
	}
	var enrolment struct{ Secret string }
	if status := r.send(http.MethodPost, "/v1/me/totp", in.AccessToken, map[string]string{"password": password}, &enrolment); status != http.StatusOK || enrolment.Secret == "" {
		t.Errorf("a second factor: status %d", status)
	}
	provider := map[string]any{"enabled": true, "issuer": "https://127.0.0.1:1", "client_id": "c", "client_secret": "s", "domains": []string{"example.com"}}
	if status := r.send(http.MethodPut, "/v1/sso", in.AccessToken, provider, &struct{}{}); status != http.StatusOK {
		t.Errorf("a provider: status %d", status)
	}
	if status := r.send(http.MethodGet, "/v1/sso/default/start", "", nil, &struct{}{}); status != http.StatusSeeOther {
		t.Errorf("a sign-in at the provider: status %d", status)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), func(s *serve.Server) { s.Options.PublicURL = "https://cloudarq.example.com" })
	if health := r.get("/healthz", "any.example"); health.status != http.StatusOK || strings.TrimSpace(health.body) != `{"status":"ok"}` {
		t.Errorf("health: %d %s", health.status, health.body)
	}
	for _, host := range []string{"", "localhost", "localhost:" + r.port, "LOCALHOST.", "cloudarq.example.com", "127.0.0.1"} {
		got := r.get("/v1/connections", host)
		if got.status != http.StatusUnauthorized || got.code() != "not_signed_in" {
			t.Errorf("for %q without a token: %d %s", host, got.status, got.body)
		}
		for _, name := range []string{"Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Request-Id"} {
			if got.header.Get(name) == "" {
				t.Errorf("an answer without %s", name)
			}
		}
	}
	for _, host := range []string{"evil.example", "evil.example:" + r.port, "cloudarq.example.com.evil.example", "127.0.0.2", "169.254.169.254", "localhost.evil.example"} {
		got := r.get("/v1/connections", host)
		if got.status != http.StatusMisdirectedRequest || got.code() != "unknown_host" || got.header.Get("Content-Security-Policy") == "" {
			t.Errorf("sent to %q: %d %s", host, got.status, got.body)
		}
	}
	if got := r.get("/operator/v1/organizations", ""); got.status != http.StatusNotFound {
		t.Errorf("an operator's route answers %d", got.status)
	}
	if err := r.stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	token := strings.SplitN(r.links[0], "#", 2)[1]
	if strings.Contains(r.seen.String(), token) {
		t.Error("the log has the set-up link's token")
	}
}

// TestLargeHeaders: what the server reads and the API does not take is answered by a problem.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	for _, size := range []int{17 << 10, 40 << 10, 200 << 10} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+r.port+"/v1/session", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Large", strings.Repeat("x", size))
		said := make(chan string, 1)
		go func() {
			response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
			if err != nil {
				said <- err.Error()
				return
			}
			body, err := io.ReadAll(response.Body)
			said <- fmt.Sprint(response.StatusCode, " ", answer{body: string(body)}.code(), errors.Join(err, response.Body.Close()))
		}()
		r.wait("request answered")
		if got := <-said; !strings.HasPrefix(got, "431 header_too_large") {
			t.Errorf("a header of %d bytes: %s", size, got)
		}
	}
}

// TestSetUpLink: each start gives a link until somebody has come in, and only the newest is
// good.
func TestSetUpLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var tokens []people.Token
	for range 2 {
		r := start(t, dir, func(s *serve.Server) { s.Options.PublicURL = "https://cloudarq.example.com" })
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		token, ok := strings.CutPrefix(strings.Join(r.links, " "), "https://cloudarq.example.com/invitation#")
		if !ok {
			t.Fatalf("links %q", r.links)
		}
		parsed, err := people.ParseToken(people.InviteToken, secret.New(token))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, parsed)
	}
	_, state, err := newServer(t.Context(), dir, slog.New(slog.DiscardHandler), house{})
	if err != nil {
		t.Fatal(err)
	}
	records := state.Store.For(serve.DefaultOrganization)
	if _, err := records.Invitation(t.Context(), model.InvitationID(tokens[0].ID)); err == nil {
		t.Error("the link of the first start is still good")
	}
	invited, err := records.Invitation(t.Context(), model.InvitationID(tokens[1].ID))
	if err != nil || !tokens[1].Matches(invited.Hash) || invited.Role != model.RoleAdmin || invited.Email != serve.DefaultAdministrator {
		t.Errorf("the link of the second start: %+v, %v", invited, err)
	}
	now := time.Now().UTC()
	who := model.Person{ID: "01KBA0Q7Z3M2X9V5T1R8N4C6DE", Email: "anna@example.com", CreatedAt: now}
	if err := state.Store.People().Create(t.Context(), &who); err != nil {
		t.Fatal(err)
	}
	if err := state.Store.People().Join(t.Context(), serve.DefaultOrganization, model.Change{}, &model.Member{Person: who.ID, Role: model.RoleAdmin, Since: now}); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	if r := start(t, dir, nil); len(r.links) > 0 {
		t.Error("there is a link although somebody has come in")
	}
}

// TestOneServer: a data directory is served once at a time.
func TestOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir, nil)
	second, state, err := newServer(t.Context(), dir, slog.New(slog.DiscardHandler), house{})
	if err != nil {
		t.Fatal(err)
	}
	var input *local.InputError
	if err := second.Run(t.Context()); !errors.As(err, &input) {
		t.Errorf("a second server: %v", err)
	}
	if err := errors.Join(state.Close(), r.stop()); err != nil {
		t.Fatal(err)
	}
	start(t, dir, nil)
}

// TestCertificate: a certificate that is renewed is served without a restart, and one that
// is half written does no harm.
func TestCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := certify(t, cert, key, 1)
	r := start(t, t.TempDir(), func(s *serve.Server) { s.Options.Certificate, s.Options.Key = cert, key })
	serial := func(roots ...*x509.Certificate) int64 {
		t.Helper()
		pool := x509.NewCertPool()
		for _, c := range roots {
			pool.AddCert(c)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		got := ask(t.Context(), client, "https://localhost:"+r.port+"/healthz", "")
		if got.err != nil || got.proto != 2 {
			t.Errorf("HTTP/%d over TLS, %v", got.proto, got.err)
		}
		return got.serial
	}
	if got := serial(first); got != 1 {
		t.Errorf("certificate %d, want the first", got)
	}
	if err := os.WriteFile(cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan int64, 1)
	go func() { done <- serial(first) }()
	r.wait("the certificate's files cannot be read again; the one before is used")
	if got := <-done; got != 1 {
		t.Errorf("certificate %d while another is written, want the first", got)
	}
	second := certify(t, cert, key, 2)
	go func() { done <- serial(second) }()
	r.wait("the certificate was read again")
	if got := <-done; got != 2 {
		t.Errorf("certificate %d, want the second", got)
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11} // nothing is sent
	if c, err := tls.Dial("tcp", "127.0.0.1:"+r.port, old); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// certify writes a certificate of its own for localhost.
func certify(t *testing.T, cert, key string, serial int64) *x509.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestKilled kills the process of a server while an audit opens its account, and while it
// collects, and stops it in the middle: whoever is started after it ends the audit.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, how := range []string{hangs, collects} {
		for _, end := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(how+", "+end.String(), func(t *testing.T) {
				t.Parallel()
				killed(t, how, end)
			})
		}
	}
}

func killed(t *testing.T, how string, end syscall.Signal) {
	t.Helper()
	dir := t.TempDir()
	_, state, err := newServer(t.Context(), dir, slog.New(slog.DiscardHandler), house{})
	if err != nil {
		t.Fatal(err)
	}
	operator := serve.Operator{Store: state.Store, Now: time.Now}
	if _, err := operator.Create(t.Context(), "acme", ""); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	connection := model.Connection{
		ID: "01KBA0Q7Z3M2X9V5T1R8N4C6DE", AccountID: "111122223333", RoleARN: "arn:aws:iam::111122223333:role/CloudArqAuditRole",
		CreatedAt: now, State: model.ConnectionPending, Since: now, Schedule: model.Schedule{Expression: "rate(1 day)"},
	}
	records := state.Store.For("acme")
	if err := errors.Join(records.PutConnection(t.Context(), &connection), records.PutNextAudit(t.Context(), connection.ID, now.Add(-time.Minute)), state.Close()); err != nil {
		t.Fatal(err)
	}

	first, log := childOf(t, how, dir)
	log.wait("hangs")
	if err := first.Process.Signal(end); err != nil {
		t.Fatal(err)
	}
	for log.feed.Scan() {
		log.seen.WriteString(log.feed.Text() + "\n")
	}
	if err := first.Wait(); (err == nil) != (end == syscall.SIGTERM) {
		t.Fatalf("the first server ended: %v\n%s", err, log.seen.String())
	}

	second, log := childOf(t, opens, dir)
	if taken := log.wait("taken up again"); taken["audits"] != 1.0 {
		t.Errorf("taken up again: %v", taken)
	}
	for log.wait("alert")["kind"] != "audit" {
	}
	if err := second.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for log.feed.Scan() {
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("the second server ended: %v", err)
	}
	_, state, err = newServer(t.Context(), dir, slog.New(slog.DiscardHandler), house{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	audits, err := state.Store.For("acme").Audits(t.Context())
	if err != nil || len(audits) != 1 || audits[0].State != model.AuditDone || audits[0].Summary.Counts.Fail != 1 {
		t.Errorf("audits %+v, %v", audits, err)
	}
}

// childOf starts a server in a process of its own.
func childOf(t *testing.T, how, dir string) (*exec.Cmd, *lines) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, dir)
	cmd.Env = append(os.Environ(), childEnv+"="+how)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &lines{t: t, feed: bufio.NewScanner(stderr)}
}
