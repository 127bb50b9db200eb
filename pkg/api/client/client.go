// Package client calls the HTTP API of a CloudArq server, deployed or of `cloudarq serve`,
// as far as the command does. pkg/api has the other end.
//
// What answers need not be CloudArq, or well: answers and lists are bounded, redirects are
// not followed, and texts are as they came, with whatever may steer a terminal in them.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
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
	Tokens  Tokens        // where tokens that change are, in the place of Token; or nil
	Profile string        // whose credentials sign what operators ask for; empty means the default chain
	Version string        // of CloudArq, for the user agent
}

// Tokens are where the tokens of a session are, each of which is good for minutes.
type Tokens interface {
	// Token is one that is good now. It is not the one that was refused, which is empty at
	// first.
	Token(ctx context.Context, refused secret.String) (secret.String, error)
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
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, &URLError{fmt.Sprintf("%q is not the URL of an API, such as https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1", o.URL)}
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !loopback(base.Hostname())) {
		return nil, &URLError{fmt.Sprintf("%s is not called: want an URL that begins with https://", o.URL)}
	}
	base.Host = strings.ToLower(base.Host)
	return &Client{
		options: o, base: base,
		http: &http.Client{Timeout: answerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// loopback reports whether a host is this machine, by its address or by the name that is
// resolved to no other (https://www.rfc-editor.org/rfc/rfc6761, section 6.3).
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Server is what the server is known by: its URL without /v1.
func (c *Client) Server() string { return c.base.String() }

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
	// Again is when to try again, of what was tried too often; zero if nobody says.
	Again time.Time `json:"-"`
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("the API answers %d: %s", p.Status, cmp.Or(p.Detail, p.Message, http.StatusText(p.Status)))
	if !p.Again.IsZero() {
		text += "; not before " + p.Again.Format(time.RFC3339)
	}
	return text
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

// What is repeated, and how often. What a limit refused was not done. Whether something
// was done whose answer was lost, nobody knows: that is asked again only if it changes
// nothing or has an Idempotency-Key, by which it makes nothing twice.
const (
	mostTries = 4
	// longestWait is how long a limit is waited for. Others last for hours, and are told.
	longestWait = 30 * time.Second
	firstPause  = 200 * time.Millisecond // and then three times as long each time
)

// maxAnswer bounds an answer in bytes: functions give six megabytes at most.
const maxAnswer = 10 << 20

// maxRetryAfter is how many seconds a server is believed that it wants to be left alone: limits
// are over within a day.
const maxRetryAfter = 2 * 24 * 60 * 60

// KeyHeader makes a request repeatable: see Call.
const KeyHeader = "Idempotency-Key"

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
	repeatable := method == http.MethodGet || header[KeyHeader] != ""
	token := c.options.Token
	signed := strings.HasPrefix(path, operators)
	if c.options.Tokens != nil && !signed {
		var err error
		if token, err = c.options.Tokens.Token(ctx, secret.String{}); err != nil {
			return nil, err
		}
	}
	renewed := false
	pause := firstPause
	for try := 1; ; try++ {
		got, err := c.once(ctx, method, path, header, body, token)
		var wait time.Duration
		switch status := got.status; {
		case ctx.Err() != nil || errors.Is(err, errTooLarge):
			return nil, err
		case err == nil && status == http.StatusUnauthorized && c.options.Tokens != nil && !signed && !renewed:
			renewed = true
			if token, err = c.options.Tokens.Token(ctx, token); err != nil {
				return nil, err
			}
			continue
		case err == nil && status == http.StatusConflict && repeatable && got.header.Get("Retry-After") != "":
			wait = min(retryAfter(got.header), longestWait) // the same request is worked on, or whoever did has died
		case err == nil && status == http.StatusTooManyRequests:
			wait = retryAfter(got.header)
			if wait > longestWait {
				wait = 0
			}
		case (err != nil || status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout) && repeatable:
			wait, pause = pause, 3*pause
		}
		if wait > 0 && try < mostTries {
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("call the API: %w", ctx.Err())
			case <-time.After(wait):
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return c.decode(got, out)
	}
}

// answer is what a request is answered.
type answer struct {
	status int
	header http.Header
	text   []byte
}

var errTooLarge = fmt.Errorf("the API's answer is larger than %d bytes", maxAnswer)

// once makes a request one time.
func (c *Client) once(ctx context.Context, method, path string, header map[string]string, body []byte, token secret.String) (got answer, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return got, fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("User-Agent", "cloudarq/"+c.options.Version)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	switch {
	case strings.HasPrefix(path, operators):
		if err := c.sign(ctx, r, body); err != nil {
			return got, err
		}
	case !token.Empty():
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	response, err := c.http.Do(r)
	if err != nil {
		return got, fmt.Errorf("call the API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return got, fmt.Errorf("read the API's answer: %w", err)
	}
	if len(text) > maxAnswer {
		return got, errTooLarge
	}
	return answer{response.StatusCode, response.Header, text}, nil
}

func (c *Client) decode(got answer, out any) (http.Header, error) {
	if got.status >= http.StatusMultipleChoices {
		p := &Problem{}
		_ = json.Unmarshal(got.text, p) // what is no problem document says nothing but its status
		p.Status = got.status
		if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= maxRetryAfter && p.Status == http.StatusTooManyRequests {
			p.Again = time.Now().Add(time.Duration(seconds) * time.Second).Round(time.Second)
		}
		return nil, p
	}
	switch out := out.(type) {
	case nil:
		return got.header, nil
	case *[]byte:
		*out = got.text
		return got.header, nil
	}
	if err := json.Unmarshal(got.text, out); err != nil {
		return nil, fmt.Errorf("what answers at %s is not CloudArq's API: %w", c.base, err)
	}
	return got.header, nil
}
