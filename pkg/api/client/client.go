// Package client calls the HTTP API of a deployed CloudArq, as far as the command
// does: what connecting an account takes. pkg/api has the other end.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Options say which deployment is called, and by whom.
type Options struct {
	URL     string        // the deployment's output ApiUrl, or where `cloudarq serve` answers
	Token   secret.String // of a person's session, or an API token; empty for what anybody may call
	Profile string        // whose credentials sign what operators ask for; empty means the default chain
	Version string        // of CloudArq, for the user agent
}

// Client calls the API of one deployment.
type Client struct {
	options Options
	base    *url.URL
	http    *http.Client
}

// URLError says that an URL is none of an API.
type URLError struct{ Message string }

func (e *URLError) Error() string { return e.Message }

// answerTimeout bounds one request: API Gateway itself gives up after 30 seconds.
const answerTimeout = 35 * time.Second

// New makes a client. The API is called by https alone, but for one on this machine.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), "/v1"))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" {
		return nil, &URLError{fmt.Sprintf("%q is not the URL of an API, such as https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1", o.URL)}
	}
	if ip := net.ParseIP(base.Hostname()); base.Scheme != "https" && (base.Scheme != "http" || ip == nil || !ip.IsLoopback()) {
		return nil, &URLError{fmt.Sprintf("%s is not called: want an URL that begins with https://", o.URL)}
	}
	return &Client{
		options: o, base: base,
		http: &http.Client{Timeout: answerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// region is where requests to a host are signed for: what the host's name says, or
// the profile's region for a name of the deployment's own.
func region(host, profiles string) string {
	if parts := strings.Split(host, "."); len(parts) > 2 && parts[1] == service {
		return parts[2]
	}
	if profiles == "" {
		return "us-east-1"
	}
	return profiles
}

// service is API Gateway's, as signatures name it.
const service = "execute-api"

// Problem is what the API answers when it does not do what it was asked: RFC 9457.
type Problem struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Message string `json:"message"` // of API Gateway, which answers without asking CloudArq
}

func (p *Problem) Error() string {
	return fmt.Sprintf("the API answers %d: %s", p.Status, cmp.Or(p.Detail, p.Message, http.StatusText(p.Status)))
}

// Refused reports whether the API does not accept who asks.
func (p *Problem) Refused() bool {
	return p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden
}

// Busy reports whether an audit of the connection runs, beside which there is no other.
func (p *Problem) Busy() bool { return p.Code == "audit_running" }

// operators begins the paths that requests are signed for.
const operators = "/operator/"

// sign signs a request with AWS credentials.
func (c *Client) sign(ctx context.Context, r *http.Request, body []byte) error {
	cfg, err := client.Unguarded(ctx, c.options.Profile, c.options.Version)
	if err != nil {
		return &client.AccessError{Message: fmt.Sprintf("cannot load AWS credentials: %v", err), Cause: err}
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return &client.AccessError{Message: "no AWS credentials found to call the API with: name a profile with --profile or AWS_PROFILE, or sign in", Cause: err}
	}
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), service, region(c.base.Hostname(), cfg.Region), time.Now())
	if err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	return nil
}

// Call makes a request, also one that has no method of its own here, with in as its body
// unless that is nil, and decodes the answer into out unless that is nil. It gives the
// answer's header. What the API does not do is a *Problem.
func (c *Client) Call(ctx context.Context, method, path string, header map[string]string, in, out any) (http.Header, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("User-Agent", "cloudarq/"+c.options.Version)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	switch {
	case strings.HasPrefix(path, operators):
		if err := c.sign(ctx, r, body); err != nil {
			return nil, err
		}
	case !c.options.Token.Empty():
		r.Header.Set("Authorization", "Bearer "+c.options.Token.Reveal())
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("call the API: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 10<<20))
	if err != nil {
		return nil, fmt.Errorf("read the API's answer: %w", err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		p := &Problem{}
		_ = json.Unmarshal(text, p) // what is no problem document says nothing but its status
		p.Status = answer.StatusCode
		return nil, p
	}
	if out == nil {
		return answer.Header, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("what answers at %s is not CloudArq's API: %w", c.base, err)
	}
	return answer.Header, nil
}
