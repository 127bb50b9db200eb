package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// TestServerFromBeginningToEnd connects an account with a server, audits it, looks at what
// was found, and forgets it.
func TestServerFromBeginningToEnd(t *testing.T) {
	_, emulator := sample(t)
	u := makeUser(t, emulator, theirs, "scanner-of-a-server", "*")
	first, second := u.key(), u.key()
	data := t.TempDir()
	s := serveThat(t, data)
	signIn(t, s.url, func(page url.Values) { s.allow(page) })
	t.Setenv("CLOUDARQ_SERVER", s.url)
	ok := func(r result) result {
		t.Helper()
		if r.code != exitOK {
			t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
		}
		return r
	}
	add := []string{"connections", "add", "--name", "legacy", "--services", "kms", "--regions", "eu-west-1", "-o", "json"}
	withKey(t, data, first, add...).sentence(t, exitAccess, "access keys are not allowed", "connections rotate-key")
	ok(cloudarq(t, data, "connections", "remove", "legacy", "--yes"))
	ok(cloudarq(t, data, "admin", "access-keys", "allow"))
	added := decode[report.Connection](t, ok(withKey(t, data, first, add...)))
	if added.AccountID != theirs || added.State != model.ConnectionActive || added.Kind != model.KindAccessKey || added.LastAudit == "" {
		t.Errorf("added %+v", added)
	}
	pending := decode[report.Connection](t, ok(cloudarq(t, data, "connections", "add", "--name", "later", "-o", "json")))
	if pending.State != model.ConnectionPending {
		t.Errorf("without a role: %+v", pending)
	}
	if r := ok(cloudarq(t, data, "connections", "show", "later", "--reveal-external-id", "-o", "csv")); !strings.Contains(r.stdout, "external_id") {
		t.Errorf("%s", r.stdout)
	}
	cloudarq(t, data, "connections", "test", "later").sentence(t, exitFailed, "409", "no role yet")
	updated := decode[report.Connection](t, ok(cloudarq(t, data, "connections", "update", "legacy", "--name", "old", "--regions", "eu-west-1,us-east-1", "-o", "json")))
	if updated.Name != "old" || len(updated.Regions) != 2 || len(updated.Services) != 1 || updated.Kind != model.KindAccessKey {
		t.Errorf("updated %+v", updated)
	}
	if r := ok(cloudarq(t, data, "connections", "test", "old")); !strings.Contains(r.stdout, "active") || !strings.Contains(r.stdout, "SERVICE") {
		t.Errorf("tested: %s", r.stdout)
	}
	if rows := decode[[]model.ServiceCoverage](t, ok(cloudarq(t, data, "connections", "test", "old", "--coverage", "-o", "json"))); len(rows) != 1 {
		t.Errorf("coverage %+v", rows)
	}

	r := ok(cloudarq(t, data, "audit", "run", "--connection", "old"))
	audits := wholeAudits(t, data)
	if len(audits) != 1 || audits[0].State != model.AuditDone || !strings.Contains(r.stdout, "Account "+theirs+", audit "+string(audits[0].ID)+": done") {
		t.Errorf("%+v, %s%s", audits, r.stdout, r.stderr)
	}
	cloudarq(t, data, "audit", "cancel", theirs).sentence(t, exitUsage, "is not running")
	if r := cloudarq(t, data, "audit", "watch", theirs, "--min-coverage", "100"); r.code != exitOK {
		t.Errorf("%+v", r)
	}
	ok(cloudarq(t, data, "audit", "calls"))
	ok(cloudarq(t, data, "audit", "verify"))
	ok(withKey(t, data, second, "connections", "rotate-key", "old"))
	cloudarq(t, data, "connections", "remove", "old").sentence(t, exitUsage, "--yes")
	gone := decode[model.Receipt](t, ok(cloudarq(t, data, "connections", "remove", "old", "--yes", "-o", "json")))
	if gone.Connection != added.ID || gone.DeletedAt.IsZero() {
		t.Errorf("%+v", gone)
	}
	cloudarq(t, data, "connections", "show", "old").sentence(t, exitUsage, "no connection")

	log := ok(cloudarq(t, data, "admin", "auditlog", "list", "-o", "ndjson"))
	for _, action := range []string{"create-connection", "give-access-key", "start-audit", "put-settings", "delete-connection"} {
		if !strings.Contains(log.stdout, `"action":"`+action+`"`) {
			t.Errorf("the log has no %s", action)
		}
	}
	ok(cloudarq(t, data, "admin", "auditlog", "verify"))
	ok(cloudarqIn(t.Context(), data, log.stdout, "admin", "auditlog", "verify", "-"))
	cloudarqIn(t.Context(), data, strings.Replace(log.stdout, "old", "odd", 1), "admin", "auditlog", "verify", "-").sentence(t, exitAltered, "was altered")

	if r := cloudarq(t, data, "admin", "organizations", "suspend", string(local.Organization)); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	cloudarq(t, data, "connections", "list").sentence(t, exitAccess, "403", "suspended")
}

// TestWatching: who stops to wait leaves the audit, and is told how to go on; who cancels it
// ends it.
func TestWatching(t *testing.T) {
	environment(t, nil)
	data := t.TempDir()
	s := serveThat(t, data)
	signIn(t, s.url, func(page url.Values) { s.allow(page) })
	state, err := (&cli{dataDir: data}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records := state.Records
	c := model.Connection{ID: "c1", AccountID: theirs, Name: "shop", CreatedAt: time.Now().UTC(), State: model.ConnectionActive}
	a := model.Audit{ID: local.NewAuditID(), Connection: c.ID, AccountID: theirs, State: model.AuditRunning, StartedAt: time.Now().UTC(), Services: []string{"kms"}, Checks: []model.CheckID{}, Regions: []string{}}
	if err := records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := records.PutAudit(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	for _, where := range [][]string{{"--server", s.url}, nil} {
		watch := append([]string{"audit", "watch", "--timeout", "100ms", "-q"}, where...)
		cloudarq(t, data, watch...).sentence(t, exitCancelled, "out of time", "goes on", "cloudarq audit watch "+string(a.ID))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		stopped := cloudarqIn(ctx, data, "", append([]string{"audit", "watch", "-q"}, where...)...)
		cancel()
		stopped.sentence(t, exitCancelled, "goes on")
	}
	if r := cloudarq(t, data, "audit", "cancel", string(a.ID)[:20], "--server", s.url); r.code != exitOK || !strings.Contains(r.stderr, "is cancelled") {
		t.Errorf("%+v", r)
	}
	for _, where := range [][]string{{"--server", s.url}, nil} {
		r := cloudarq(t, data, append([]string{"audit", "watch"}, where...)...)
		if r.code != exitFailed || !strings.Contains(r.stdout, ": cancelled after") {
			t.Errorf("%+v", r)
		}
	}
}

// TestHostileAnswers: nothing that a server says steers the terminal, in whatever verb and
// format.
func TestHostileAnswers(t *testing.T) {
	environment(t, nil)
	const evil = "\x1b]0;evil\x07\u009b31m\u202e\u200b\rgone"
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := json.Marshal(evil)
		said := strings.ReplaceAll(answers(r.URL.Path), `"EVIL"`, string(text))
		if broken.Load() {
			w.WriteHeader(http.StatusConflict)
			said = strings.ReplaceAll(`{"status":409,"code":"EVIL","detail":"EVIL"}`, `"EVIL"`, string(text))
		}
		_, _ = io.WriteString(w, said)
	}))
	defer server.Close()
	t.Setenv(tokenVariable, "a-token")
	fill, tried := strings.NewReplacer("AUDIT", "latest", "ACCOUNT", "c", "FINDING", "", "TRAIL", "/nonexistent"), 0
	for _, problems := range []bool{false, true} {
		broken.Store(problems)
		for name, calls := range withServer {
			for _, call := range append(calls, []string{}) {
				if len(calls) == 0 && name != "whoami" && name != "audit run" && name != "audit verify" && name != "connections remove" {
					continue
				}
				for _, format := range []string{"table", "json", "csv"} {
					words := append(strings.Fields(name), "-o", format, "--server", server.URL)
					switch name {
					case "audit run":
						words = append(words, "--connection", "c", "--timeout", "1ms")
					case "connections remove":
						words = append(words, "c", "--yes")
					}
					for _, w := range call {
						words = append(words, fill.Replace(w))
					}
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					got := cloudarqIn(ctx, t.TempDir(), "", words...)
					cancel()
					for _, c := range []string{"\x1b", "\x07", "\u009b", "\u202e", "\u200b", "\r"} {
						if strings.Contains(got.stdout+got.stderr, c) {
							t.Errorf("%q shows %q: %q", words, c, got.stdout+got.stderr)
						}
					}
					tried++
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("%d commands were tried", tried)
	}
}

// answers are those of a server in which each text is hostile.
func answers(path string) string {
	const audit = `{"id":"EVIL","connection":"EVIL","account_id":"EVIL","state":"EVIL","started_at":"2026-11-30T00:00:00Z","problems":["EVIL"],"services":["EVIL"],"checks":["EVIL"],"regions":["EVIL"],"refused":"EVIL","once":true,"partition":"EVIL","caller_arn":"EVIL",
		"permissions":{"unread":"EVIL","missing":["EVIL"],"version":"EVIL"},
		"summary":{"score":{"value":1,"assessed":1,"applicable":1},"services":{"EVIL":{}},"failed":{"EVIL":1,"high":1},"counts":{"fail":2},"load":{"EVIL":{"calls":1,"attempts":1}},"changes":{"previous":"EVIL","score":{"before":{"assessed":1},"breaks":["EVIL"]}},
		"gaps":[{"reason":"EVIL","operation":"EVIL","action":"EVIL","detail":"EVIL","regions":["EVIL"],"checks":["EVIL"],"count":1}]}}`
	const connection = `{"id":"c","account_id":"EVIL","name":"EVIL","role_arn":"EVIL","state":"EVIL","reason":"EVIL","external_id":"EVIL","checker_role":"EVIL","services":["EVIL"]}`
	switch {
	case path == "/v1/connections":
		return `{"connections":[` + connection + `]}`
	case strings.HasSuffix(path, "/audits"):
		return `{"audits":[` + audit + `]}`
	case strings.HasSuffix(path, "/calls"):
		return `{"calls":[{"at":"2026-11-30T00:00:00Z","service":"EVIL","operation":"EVIL","region":"EVIL","outcome":"EVIL","request_id":"EVIL"}]}`
	case strings.HasSuffix(path, "/verification"):
		return `{"audit":"EVIL","account_id":"EVIL","state":"EVIL","verdict":"EVIL","signature":"EVIL","problems":["EVIL"],"remarks":["EVIL"],"objects":[{"key":"EVIL"}]}`
	case strings.Contains(path, "/audits"):
		return audit
	case strings.HasSuffix(path, "/findings"):
		return `{"findings":[{"id":"EVIL","check":"EVIL","severity":"EVIL","state":"open","reason":"EVIL","service":"EVIL","kind":"EVIL","resource":{"arn":"EVIL","account":"EVIL","region":"EVIL","sub":"EVIL"},"history":[{"at":"2026-11-30T00:00:00Z","what":"EVIL","audit":"EVIL","reason":"EVIL"}],"evidence":[{"fact":"EVIL","resource":"EVIL","content":{"value":{"EVIL":"EVIL"}}},{"fact":"EVIL","content":"EVIL"}],"cause":""}]}`
	case path == "/v1/admin-log":
		return `{"entries":[{"seq":1,"id":"EVIL","actor":{"kind":"EVIL","id":"EVIL","name":"EVIL"},"address":"EVIL","action":"EVIL","object":"EVIL","before":"EVIL","hash":"EVIL"}]}`
	case path == "/v1/session":
		return `{"person":{"email":"EVIL","name":"EVIL"},"organization":"EVIL","role":"EVIL","scopes":["EVIL"],"projects":["EVIL"],"token":{"name":"EVIL"}}`
	case path == "/v1/policy":
		return `"EVIL"`
	case strings.HasPrefix(path, "/v1/receipts/"):
		return `{"connection":"EVIL","purged_at":"2026-11-30T00:00:00Z"}`
	}
	return connection
}
