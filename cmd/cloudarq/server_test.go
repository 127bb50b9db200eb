package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// served is `cloudarq serve` on a data directory, for the records that commands without a
// server have there, too.
type served struct {
	t        testing.TB
	url      string
	password string
}

const annasEmail = "anna@example.com"

// serveThat serves a data directory, whose administrator has used the set-up link.
func serveThat(t *testing.T, data string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	logs, to := io.Pipe()
	var stdout bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--listen", "localhost:0", "--organization", string(local.Organization), "--administrator", annasEmail, "--data-dir", data}, strings.NewReader(""), &stdout, to)
		_ = to.Close()
		ended <- code
	}()
	s := &served{t: t, password: "four words of hers"}
	feed := bufio.NewScanner(logs)
	for s.url == "" && feed.Scan() {
		var line struct{ Msg, URL string }
		if err := json.Unmarshal(feed.Bytes(), &line); err == nil && line.Msg == "serving" {
			s.url = line.URL
		}
	}
	link := setUpLink.FindStringSubmatch(stdout.String()) // printed before that
	rest := make(chan struct{})
	go func() {
		defer close(rest)
		_, _ = io.Copy(io.Discard, logs)
	}()
	t.Cleanup(func() {
		cancel()
		<-rest
		if code := <-ended; code != exitOK {
			t.Errorf("serve ends with %d", code)
		}
	})
	if link == nil {
		t.Fatalf("no link to set it up: %q", stdout.String())
	}
	s.post("", "/v1/invitations/acceptance", map[string]any{"token": link[1], "name": "Anna", "password": s.password}, http.StatusOK)
	return s
}

// post makes a request as a page of the console would.
func (s *served) post(token, path string, in any, want int) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	out := map[string]any{}
	if err := json.NewDecoder(answer.Body).Decode(&out); answer.StatusCode != want {
		s.t.Fatalf("%s answers %d, %v, %v", path, answer.StatusCode, out, err)
	}
	return out
}

// access is the access token of a sign-in in a browser.
func (s *served) access() string {
	s.t.Helper()
	text, _ := s.post("", "/v1/sign-in", map[string]any{"email": annasEmail, "password": s.password}, http.StatusOK)["access_token"].(string)
	return text
}

var pageOfLogin = regexp.MustCompile(`http\S+/authorize\?(\S+)`)

// allow is the browser of somebody who allows what the page asks for, and gives what the
// command shows at last.
func (s *served) allow(page url.Values) (int, string) {
	s.t.Helper()
	code, _ := s.post(s.access(), "/v1/session/handover", map[string]any{"challenge": page.Get("challenge")}, http.StatusOK)["code"].(string)
	return visit(s.t, page.Get("port"), url.Values{"code": {code}, "state": {page.Get("state")}})
}

func visit(t testing.TB, port string, query url.Values) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/callback?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// signIn signs the command in by a browser.
func signIn(t *testing.T, server string, browser func(url.Values)) result {
	t.Helper()
	said, to := io.Pipe()
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(t.Context(), []string{"login", "--server", server, "--no-browser", "-o", "json"}, strings.NewReader(""), &stdout, to)
		_ = to.Close()
		ended <- code
	}()
	for lines := bufio.NewScanner(said); lines.Scan(); {
		stderr.WriteString(lines.Text() + "\n")
		if page := pageOfLogin.FindStringSubmatch(lines.Text()); page != nil {
			query, err := url.ParseQuery(page[1])
			if err != nil {
				t.Fatal(err)
			}
			browser(query)
		}
	}
	return result{<-ended, stdout.String(), stderr.String()}
}

// TestLogin goes in by a browser, is somebody, and goes out.
func TestLogin(t *testing.T) {
	environment(t, nil)
	s := serveThat(t, t.TempDir())
	in := signIn(t, s.url, func(page url.Values) {
		if status, _ := visit(t, page.Get("port"), url.Values{"code": {"x"}, "state": {"another"}}); status != http.StatusNotFound {
			t.Errorf("another state is answered %d", status)
		}
		status, text := s.allow(page)
		if status != http.StatusOK || !strings.Contains(text, "You can close this window") {
			t.Errorf("%d, %s", status, text)
		}
	})
	who := decode[identity](t, in)
	if in.code != exitOK || who.Email != annasEmail || who.Role != model.RoleAdmin || who.Organization != local.Organization || who.Until.IsZero() {
		t.Fatalf("%+v", in)
	}
	again := cloudarq(t, t.TempDir(), "whoami", "-o", "json")
	if got := decode[identity](t, again); again.code != exitOK || got.Kept != who.Kept || !strings.Contains(got.Kept, "which you alone can read") {
		t.Errorf("%+v", again)
	}
	checkKept(t, in.stdout+in.stderr+again.stdout)

	renewedOnce(t)

	if r := cloudarq(t, t.TempDir(), "logout"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	cloudarq(t, t.TempDir(), "whoami").sentence(t, exitUsage, "--server", "nobody is signed in")
	cloudarq(t, t.TempDir(), "whoami", "--server", s.url).sentence(t, exitAccess, "nobody is signed in to "+s.url, "cloudarq login --server "+s.url)
	cloudarq(t, t.TempDir(), "logout", "--server", s.url).sentence(t, exitUsage, "nobody is signed in")

	refused := signIn(t, s.url, func(page url.Values) {
		visit(t, page.Get("port"), url.Values{"error": {"refused"}, "state": {page.Get("state")}})
	})
	if refused.code != exitAccess || !strings.Contains(refused.stderr, "refused in the browser") {
		t.Errorf("%+v", refused)
	}
}

// checkKept looks at how credentials are kept, and that nothing printed has any of them.
func checkKept(t *testing.T, printed string) {
	t.Helper()
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "cloudarq", "servers")
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v, %v", info, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var kept struct{ Credentials map[string]string }
	if err := json.Unmarshal(text, &kept); err != nil || len(kept.Credentials) < 3 {
		t.Fatalf("%s, %v", text, err)
	}
	for name, value := range kept.Credentials {
		if strings.HasSuffix(name, "token") && (value == "" || strings.Contains(printed, value)) {
			t.Errorf("%s was printed", name)
		}
	}
	if err := os.Chmod(files[0], 0o640); err != nil {
		t.Fatal(err)
	}
	cloudarq(t, t.TempDir(), "whoami").sentence(t, exitUsage, "others can read", "chmod 600")
	if err := os.Chmod(files[0], 0o600); err != nil {
		t.Fatal(err)
	}
}

// renewedOnce has several commands at once find that the access token is over.
func renewedOnce(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "cloudarq", "servers", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, files[0], regexp.MustCompile(`"expires_at":"[^"]*"`).ReplaceAll(text, []byte(`"expires_at":"2026-01-01T00:00:00Z"`)))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if r := cloudarqIn(t.Context(), "", "", "whoami"); r.code != exitOK {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	if renewed, err := os.ReadFile(files[0]); err != nil || bytes.Contains(renewed, []byte("2026-01-01")) || bytes.Equal(renewed, text) {
		t.Errorf("%s, %v", renewed, err)
	}
}

// TestTokens: an API token is read from stdin alone, and one in the environment wins.
func TestTokens(t *testing.T) {
	environment(t, nil)
	s := serveThat(t, t.TempDir())
	token := func(scopes ...string) string {
		text, _ := s.post(s.access(), "/v1/tokens", map[string]any{"name": "nightly " + strings.Join(scopes, " "), "scopes": scopes}, http.StatusCreated)["token"].(string)
		return text
	}
	reads := token("read")
	with := func(stdin string, args ...string) result { return cloudarqIn(t.Context(), t.TempDir(), stdin, args...) }
	with("caq_nothing\n", "login", "--server", s.url, "--token-stdin").sentence(t, exitUsage, "is no API token")
	with("", "login", "--token-stdin").sentence(t, exitUsage, "--server")
	with("", "login", "--server", "http://cloudarq.example.com").sentence(t, exitUsage, "https://")
	in := with(reads+"\n", "login", "--server", s.url+"/v1", "--token-stdin", "-o", "json")
	if who := decode[identity](t, in); in.code != exitOK || who.Token != "nightly read" || !slices.Equal(who.Scopes, []model.Scope{model.ScopeRead}) || who.Until.IsZero() || strings.Contains(in.stdout+in.stderr, reads) {
		t.Errorf("%+v", in)
	}
	if r := with("", "connections", "list", "--server", s.url); r.code != exitOK {
		t.Error(r.stderr)
	}
	with("", "admin", "auditlog", "list", "--server", s.url).sentence(t, exitAccess, "403", `"admin"`)

	t.Setenv(tokenVariable, token("admin"))
	if r := with("", "admin", "auditlog", "list", "--server", s.url); r.code != exitOK {
		t.Error(r.stderr)
	}
	with("", "connections", "list", "--server", s.url).sentence(t, exitAccess, "403")
	t.Setenv(tokenVariable, "caq_nothing")
	with("", "connections", "list", "--server", s.url).sentence(t, exitAccess, "token of CLOUDARQ_TOKEN", "cloudarq login --server "+s.url)
	t.Setenv(tokenVariable, "")
	out := with("", "logout", "--server", s.url)
	if out.code != exitOK || !strings.Contains(out.stderr, "stays good") {
		t.Errorf("%+v", out)
	}
}

// commands are those that do something, by how they are called.
func commands(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	all := map[string]*cobra.Command{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if !cmd.HasSubCommands() && cmd.Runnable() {
			all[named(cmd)] = cmd
		}
	}
	root := (&cli{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	walk(root)
	return all
}

// TestEveryCommandKnowsServers: each works with --server, and then a test below runs it so,
// or says in a sentence why not.
func TestEveryCommandKnowsServers(t *testing.T) {
	environment(t, nil)
	all := commands(t)
	for name := range apart {
		if all[name] == nil {
			t.Errorf("there is no command %q any more", name)
		}
	}
	for name := range all {
		reason, without := apart[name]
		if _, tried := withServer[name]; without == tried {
			t.Errorf("%q works with --server, or has a reason why not: %t, %t", name, tried, without)
		}
		if !without {
			continue
		}
		words := strings.Fields(name)
		for _, args := range [][]string{{"x"}, {"x", "x"}, {}} {
			if name != "help" && !strings.HasPrefix(name, "completion") && (all[name].Args == nil || all[name].Args(all[name], args) == nil) {
				words = append(words, args...)
				break
			}
		}
		words = append(words, "--server", "https://cloudarq.example.com")
		cloudarq(t, t.TempDir(), words...).sentence(t, exitUsage, "does not go with --server", reason.why)
	}
	t.Setenv("CLOUDARQ_SERVER", "https://cloudarq.example.com")
	cloudarq(t, t.TempDir(), "report", "html").sentence(t, exitUsage, "CLOUDARQ_SERVER", "--server ''")
	if r := cloudarq(t, t.TempDir(), "resources", "list", "--server", ""); r.code != exitOK {
		t.Error(r.stderr)
	}
	if r := cloudarq(t, t.TempDir(), "version"); r.code != exitOK {
		t.Error(r.stderr)
	}
}

// withServer are the commands that work with --server, and how TestSameOfBoth calls those
// that only read, with AUDIT, ACCOUNT and FINDING in the place of what there is. The others
// are run by other tests.
var withServer = map[string][][]string{
	"audit list":       {{}},
	"audit show":       {{}, {"AUDIT"}, {"ACCOUNT"}},
	"audit calls":      {{}, {"ACCOUNT"}},
	"audit reconcile":  {{"--trail", "TRAIL"}},
	"audit watch":      {{}, {"AUDIT", "--fail-on", "low"}, {"AUDIT", "--min-coverage", "100"}},
	"connections list": {{}},
	"connections show": {{"ACCOUNT"}, {"nothing"}},
	"audit diff":       {{}, {"ACCOUNT"}, {"nothing"}},
	"findings list": {
		{},
		{"--all"},
		{"severity=critical,high", "region!=eu-west-1"},
		{"severity>=medium", "--sort", "region,-first_seen", "--limit", "2"},
		{"nonsense=1"},
		{"severity=hihg"},
		{"account=ACCOUNT"},
		{"account=nobody"},
		{"tag:env=prod"},
		{"service=kms", "name=none"},
		{"check=KMS.4", "--columns", "id,title"},
		{"first_seen>=2020-01-01", "resource_type=aws::kms::*"},
		{"state=resolved"},
	},
	"resources list":          {{}, {"type=AWS::KMS::Key", "region=eu-west-1"}, {"tag:env!=prod"}, {"name=none"}, {"service=nothing"}, {"--sort", "name", "--limit", "1"}},
	"findings show":           {{"FINDING"}, {"zz"}},
	"policy drift":            {{}, {"ACCOUNT"}},
	"trend":                   {{}, {"ACCOUNT"}, {"ACCOUNT", "--by", "audit"}, {"ACCOUNT", "--by", "audit", "--framework", "cis-aws-5.0"}, {"--framework", "cis"}, {"--from", "2026-01-01", "--to", "2026-01-31"}, {"--project", "none"}},
	"compliance list":         {{}, {"--connection", "ACCOUNT"}, {"--connection", "nothing"}, {"--audit", "AUDIT", "--sort", "-passing", "--limit", "3"}},
	"compliance show":         {{"cis-aws-5.0"}, {"cis-aws-7.0", "--state", "failing,passing", "--connection", "ACCOUNT"}, {"cis-aws-5.0", "3.6"}, {"nist-800-53-r5", "--audit", "AUDIT"}, {"cis-aws-5.0", "33.6"}, {"cis-aws-99"}},
	"compliance attestations": {{}, {"cis-aws-5.0"}},
	"compliance attest":       nil, "compliance approve": nil, "compliance withdraw": nil,
	"admin access-keys show":  {{}},
	"admin auditlog list":     {{}},
	"admin auditlog verify":   {{}},
	"policy show":             {{"--format", "cloudformation"}, {"--format", "json"}},
	"audit verify":            nil,
	"audit run":               nil,
	"audit cancel":            nil,
	"admin access-keys allow": nil, "admin access-keys forbid": nil,
	"connections add": nil, "connections bootstrap": nil, "connections update": nil, "connections remove": nil, "connections test": nil, "connections rotate-key": nil,
	"login": nil, "logout": nil, "whoami": nil,
}

// TestSameOfBoth: of the same records each verb writes the same bytes and ends with the same
// code, whether it reads them itself or a server does.
func TestSameOfBoth(t *testing.T) {
	e, _ := sample(t)
	data := t.TempDir()
	for _, name := range []string{"neglected", "restricted", "neglected"} {
		kms(t, data, e.Account(name))
	}
	s := serveThat(t, data)
	signIn(t, s.url, func(page url.Values) { s.allow(page) })
	trail := filepath.Join(t.TempDir(), "trail.json")
	overwrite(t, trail, []byte(`{"Records":[]}`))
	audits := wholeAudits(t, data)
	findings := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "-o", "json"))
	if len(audits) != 3 || len(findings) == 0 {
		t.Fatalf("%d audits, %d findings", len(audits), len(findings))
	}
	fill := strings.NewReplacer("AUDIT", string(audits[1].ID), "ACCOUNT", audits[2].AccountID, "FINDING", string(findings[0].ID)[:12], "TRAIL", trail)
	ran := 0
	for name, calls := range withServer {
		for _, call := range calls {
			for _, format := range []string{"table", "json", "ndjson", "csv"} {
				words := append(strings.Fields(name), "-o", format)
				for _, w := range call {
					words = append(words, fill.Replace(w))
				}
				here := cloudarq(t, data, words...)
				there := cloudarq(t, t.TempDir(), append(words, "--server", s.url)...)
				if notes := said(here.stderr); name == "findings list" || name == "resources list" {
					if there := said(there.stderr); notes != there {
						t.Errorf("%q: here says\n%s\nthere\n%s", words, notes, there)
					}
				}
				if here.stdout != there.stdout || here.code != there.code {
					t.Errorf("%q: here %d\n%s%s\nthere %d\n%s%s", words, here.code, head(here.stdout), here.stderr, there.code, head(there.stdout), there.stderr)
				}
				ran++
			}
		}
	}
	if ran < 80 {
		t.Errorf("%d calls were compared", ran)
	}
	// Evidence is compared here alone: what a server says of the rest is the same.
	type verified struct{ Verdict, Signature, Audit string }
	here := decode[verified](t, cloudarq(t, data, "audit", "verify", "-o", "json"))
	there := decode[verified](t, cloudarq(t, data, "audit", "verify", "-o", "json", "--server", s.url))
	if fmt.Sprint(here) != fmt.Sprint(there) {
		t.Errorf("verified here %+v, there %+v", here, there)
	}
	for says, words := range map[string][]string{
		"--format":                      {"policy", "show"},
		"not running":                   {"audit", "cancel", "latest"},
		"verdicts with -o json":         {"audit", "run", "--connection", audits[0].AccountID, "-o", "json"},
		"--regions":                     {"audit", "run", "--connection", audits[0].AccountID, "--regions", "eu-west-1"},
		"--connection":                  {"audit", "run"},
		"no connection":                 {"audit", "run", "--connection", "nothing"},
		"--external-id does not go":     {"connections", "add", "--external-id", "prompt"},
		"no audit \"ZZ\"":               {"audit", "show", "ZZ"},
		"unknown format":                {"policy", "show", "--format", "xml"},
		"here are no projects, and a ":  nil,
		"does not go with --server: re": {"report", "html"},
	} {
		if words == nil {
			cloudarq(t, data, "connections", "update", audits[0].AccountID, "--project", "x").sentence(t, exitUsage, says)
			continue
		}
		cloudarq(t, data, append(words, "--server", s.url)...).sentence(t, exitUsage, says)
	}
}

// said is what a command says beside what it writes, whoever was asked.
func said(stderr string) string {
	return regexp.MustCompile(`\(request [^)]*\)`).ReplaceAllString(stderr, "")
}

func head(text string) string { return text[:min(len(text), 1500)] }
