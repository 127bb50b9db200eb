package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// credentials are all that the machine has.
func credentials(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "sentinel-secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "eu-north-1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// The External ID and signatures go to nobody by a wire that others read.
func TestURLs(t *testing.T) {
	credentials(t)
	for url, want := range map[string]bool{
		"https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1":  true,
		"https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1/": true,
		"https://cloudarq.example.com":                           true,
		"http://127.0.0.1:8080/v1":                               true,
		"http://[::1]:8080":                                      true,
		"http://localhost:8080":                                  true,
		"http://LocalHost:8080/v1/":                              true,
		"http://localhost.evil.example":                          false,
		"http://10.0.0.1":                                        false,
		"https://cloudarq.example.com#a":                         false,
		"http://cloudarq.example.com/v1":                         false,
		"http://localhost.example.com":                           false,
		"ftp://127.0.0.1":                                        false,
		"a1b2c3.execute-api.eu-west-1.amazonaws.com":             false,
		"https://user:password@cloudarq.example.com":             false,
		"https://cloudarq.example.com?a=b":                       false,
		"":                                                       false,
	} {
		_, err := client.New(client.Options{URL: url})
		var refused *client.URLError
		if (err == nil) != want || err != nil && !errors.As(err, &refused) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestRequest(t *testing.T) {
	credentials(t)
	var asked *http.Request
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		asked, body = r, string(text)
		w.Header().Set("ETag", `"v1"`)
		_, _ = io.WriteString(w, `{"id":"c1","account_id":"111122223333","external_id":"the-id","checker_role":"arn","state":"pending","project":"p"}`)
	}))
	defer server.Close()
	deployment, err := client.New(client.Options{URL: server.URL + "/v1", Token: secret.New("caq_sentinel"), Version: "1.2"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := deployment.Connect(t.Context(), "key", client.ConnectionInput{Name: "n"})
	if err != nil || c.ID != "c1" || c.ExternalID != "the-id" || c.CheckerRole != "arn" || c.Input().Project != "p" {
		t.Fatalf("connected %+v, %v", c, err)
	}
	if asked.Method != http.MethodPost || asked.URL.Path != "/v1/connections" || body != `{"name":"n"}` {
		t.Errorf("%s %s %s", asked.Method, asked.URL, body)
	}
	for name, want := range map[string]string{
		"Idempotency-Key": "key", "Content-Type": "application/json", "User-Agent": "cloudarq/1.2", "Authorization": "Bearer caq_sentinel",
	} {
		if got := asked.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := deployment.Disconnect(t.Context(), c); err != nil || asked.Method != http.MethodDelete || asked.Header.Get("If-Match") != `"v1"` {
		t.Errorf("%s If-Match %q, %v", asked.Method, asked.Header.Get("If-Match"), err)
	}
}

// What operators ask for is signed, and nobody's token goes there.
func TestSignedRequest(t *testing.T) {
	credentials(t)
	var signed string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	deployment, err := client.New(client.Options{URL: server.URL, Token: secret.New("caq_sentinel")})
	if err == nil {
		_, err = deployment.Call(t.Context(), http.MethodGet, "/operator/v1/organizations", nil, nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(signed, "Credential=AKIAIOSFODNN7EXAMPLE/") || !strings.Contains(signed, "/eu-north-1/execute-api/aws4_request") || strings.Contains(signed, "sentinel") {
		t.Errorf("signed %q", signed)
	}
}

func TestAnswers(t *testing.T) {
	credentials(t)
	for name, c := range map[string]struct {
		status        int
		body          string
		says          string
		refused, busy bool
	}{
		"a problem":           {http.StatusUnprocessableEntity, `{"status":422,"code":"invalid","detail":"that is no service"}`, "422: that is no service", false, false},
		"an audit runs":       {http.StatusConflict, `{"status":409,"code":"audit_running","detail":"audit 1 is running"}`, "audit 1 is running", false, true},
		"API Gateway refuses": {http.StatusForbidden, `{"message":"Forbidden"}`, "403: Forbidden", true, false},
		"something else":      {http.StatusBadGateway, `<html>`, "502: Bad Gateway", false, false},
		"another's page":      {http.StatusOK, `<html>`, "is not CloudArq's API", false, false},
		"a way elsewhere":     {http.StatusFound, ``, "302", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://example.com")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			deployment, err := client.New(client.Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = deployment.Connection(t.Context(), model.ConnectionID("c1"))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want %q", err, c.says)
			}
			var p *client.Problem
			if errors.As(err, &p); p != nil && (p.Refused() != c.refused || p.Busy() != c.busy) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// A deployment may have more connections than one answer holds.
func TestConnectionsAreAllPages(t *testing.T) {
	credentials(t)
	pages := map[string]string{
		"":    `{"connections":[{"id":"c1"},{"id":"c2"}],"cursor":"a+b"}`,
		"a+b": `{"connections":[],"cursor":"c"}`, // all of the page were deleted
		"c":   `{"connections":[{"id":"c3"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("cursor")])
	}))
	defer server.Close()
	deployment, err := client.New(client.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	all, err := deployment.Connections(t.Context())
	if err != nil || len(all) != 3 || all[2].ID != "c3" {
		t.Errorf("%+v, %v", all, err)
	}
}
