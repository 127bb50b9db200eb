package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

var setUpLink = regexp.MustCompile(`http://localhost:\d+/invitation#(caqi_\w+)`)

// TestServe starts the command, comes in over HTTP, does what an operator does beside it on
// the same data directory, and stops it.
func TestServe(t *testing.T) {
	environment(t, nil)
	data := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	logs, to := io.Pipe()
	var stdout strings.Builder
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--listen", "localhost:0", "--data-dir", data}, strings.NewReader(""), &stdout, to)
		_ = to.Close()
		ended <- code
	}()
	var log strings.Builder
	feed, url := bufio.NewScanner(logs), ""
	for url == "" && feed.Scan() {
		log.WriteString(feed.Text() + "\n")
		var line struct{ Msg, URL string }
		if err := json.Unmarshal(feed.Bytes(), &line); err != nil {
			t.Fatalf("a line of the log that is no JSON: %q", feed.Text())
		}
		if line.Msg == "serving" {
			url = line.URL
		}
	}
	rest := make(chan struct{})
	go func() { // so that nobody waits for who reads the log
		defer close(rest)
		for feed.Scan() {
			log.WriteString(feed.Text() + "\n")
		}
	}()
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/sign-in": http.StatusOK, "/v1/connections": http.StatusUnauthorized, "/operator/v1/organizations": http.StatusNotFound} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, response.StatusCode, want)
		}
	}
	cloudarq(t, data, "serve", "--listen", "localhost:0").lastSentence(t, exitUsage, "is served already")

	all := decode[[]model.Organization](t, cloudarq(t, data, "admin", "organizations", "list", "-o", "json"))
	if len(all) != 1 || all[0].ID != "local" {
		t.Errorf("organizations %+v", all)
	}
	for _, words := range [][]string{{"create", "acme", "--name", "Acme"}, {"suspend", "acme"}, {"suspend", "acme"}} {
		if r := cloudarq(t, data, append([]string{"admin", "organizations"}, words...)...); r.code != exitOK {
			t.Errorf("%q: %s", words, r.stderr)
		}
	}
	if made := decode[model.Organization](t, cloudarq(t, data, "admin", "organizations", "resume", "acme", "-o", "json")); made.Name != "Acme" || !made.Open() {
		t.Errorf("resumed: %+v", made)
	}
	invited := decode[handedOver](t, cloudarq(t, data, "admin", "invite", "anna@example.com", "--organization", "acme", "--public-url", "https://cloudarq.example.com", "-o", "json"))
	if !strings.HasPrefix(invited.Link, "https://cloudarq.example.com/invitation#caqi_") {
		t.Errorf("invited: %+v", invited)
	}
	// Without a word of that, links lead to where the directory is served.
	invited = decode[handedOver](t, cloudarq(t, data, "admin", "invite", "anna@example.com", "--organization", "acme", "-o", "json"))
	if !strings.HasPrefix(invited.Link, url+"/invitation#caqi_") {
		t.Errorf("invited to %s: %+v", url, invited)
	}
	if info, err := os.Stat(filepath.Join(data, "serve.url")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file that says so: %v, %v", info, err)
	}
	for says, words := range map[string][]string{
		"there is an organization acme": {"organizations", "create", "acme"},
		"no organization nowhere":       {"organizations", "delete", "nowhere", "--yes"},
		"say --yes if you mean it":      {"organizations", "delete", "acme"},
		"lower-case letters":            {"organizations", "create", "Acme"},
		"nobody has the e-mail address": {"recover", "nobody@example.com"},
		"nobody has the e-mail":         {"change-address", "nobody@example.com", "somebody@example.com"},
		"no organization elsewhere":     {"invite", "anna@example.com", "--organization", "elsewhere"},
		"no e-mail address":             {"invite", "anna"},
	} {
		cloudarq(t, data, append([]string{"admin"}, words...)...).sentence(t, exitUsage, says)
	}

	for range 2 {
		gone := decode[model.Organization](t, cloudarq(t, data, "admin", "organizations", "delete", "acme", "--yes", "-o", "json"))
		if gone.DeletedAt.IsZero() {
			t.Errorf("deleted: %+v", gone)
		}
	}

	cancel()
	<-rest
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d after a signal", code)
	}
	link := setUpLink.FindStringSubmatch(stdout.String())
	if link == nil {
		t.Fatalf("no link to set it up: %q", stdout.String())
	}
	if strings.Contains(log.String(), link[1]) {
		t.Error("the log has the set-up link's token")
	}
}

// TestServeRefuses what would let others read passwords on the way, before a state is made.
func TestServeRefuses(t *testing.T) {
	environment(t, nil)
	for flags, says := range map[string]string{
		"--listen 0.0.0.0:8321":                       "--insecure-http",
		"--listen :8321":                              "--tls-certificate",
		"--tls-certificate cert.pem":                  "--tls-key",
		"--behind-proxy everybody":                    "--behind-proxy",
		"--behind-proxy ::/0":                         "--behind-proxy ::/0",
		"--public-url cloudarq.example.com":           "--public-url",
		"--organization Acme":                         "--organization",
		"--quota-share 0":                             "--quota-share",
		"--listen localhost":                          "host:port",
		"--tls-certificate no.pem --tls-key no.pem":   "certificate",
		"--listen localhost:0 --administrator nobody": "email",
	} {
		r := cloudarq(t, t.TempDir(), append([]string{"serve"}, strings.Fields(flags)...)...)
		r.lastSentence(t, exitUsage, says)
	}
}

// lastSentence is sentence of what follows the log.
func (r result) lastSentence(t *testing.T, code int, words ...string) {
	t.Helper()
	said := strings.Split(strings.TrimSpace(r.stderr), "\n")
	r.stderr = said[len(said)-1]
	r.sentence(t, code, words...)
}
