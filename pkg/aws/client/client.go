// Package client reaches the AWS accounts that are audited: credentials, the
// read-only guard, pacing, retries, and a ledger of every call.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/cloudarq/cloudarq/internal/buffered"
)

// Options says how a process reaches AWS. The zero value is for production.
type Options struct {
	Version     string        // for the user agent
	CallTimeout time.Duration // for one call with all its retries, not for the wait for its turn; 0 means a minute
	MaxAttempts int           // of one call; 0 means six, or AWS_MAX_ATTEMPTS
	// QuotaShare is the part of AWS's quotas that is used, more than 0 and at most 1; 0
	// means DefaultShare. It does not hold for an emulator, which has none.
	QuotaShare float64
	Limiter    *Limiter // in place of that
	// CustomEndpoint adjusts clients when AWS is emulated; see collect.Spec.
	CustomEndpoint func(sdkID string, options any)
	// Elsewhere is told, once, of each host that is called and is not AWS's.
	Elsewhere func(host string)
}

// Client opens accounts. It holds what they share: connections, pacing and the
// guard. It is safe for concurrent use.
type Client struct {
	options Options
	guard   *Guard
	limiter *Limiter // that of the options, or nil
	paced   *Limiter // by AWS's quotas
	http    *awshttp.BuildableClient
	route   *route
}

const (
	defaultAttempts    = 6
	defaultCallTimeout = time.Minute
	// answerTimeout bounds the wait for the first byte of one attempt: the SDK's
	// own clients would wait for ever.
	answerTimeout = 20 * time.Second
	idlePerHost   = 16
)

// New makes the client of a process.
func New(options Options) *Client {
	if options.CallTimeout == 0 {
		options.CallTimeout = defaultCallTimeout
	}
	way := &route{elsewhere: options.Elsewhere}
	return &Client{
		options: options,
		route:   way,
		guard:   NewGuard(),
		limiter: options.Limiter,
		paced:   NewLimiter(options.QuotaShare),
		http: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = idlePerHost
			t.MaxIdleConns = 512
			t.ResponseHeaderTimeout = min(answerTimeout, options.CallTimeout)
			t.Proxy = way.choose
		}),
	}
}

// load makes the configuration that a profile, or the default chain, gives.
func (c *Client) load(ctx context.Context, profile string) (aws.Config, error) {
	// The SDK insists on its own kind of client here, because AWS_CA_BUNDLE may
	// ask it to change the transport.
	opts := []func(*config.LoadOptions) error{config.WithHTTPClient(c.http), config.WithLogger(logging.Nop{})}
	if profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	transport := cfg.HTTPClient
	if buildable, ok := transport.(*awshttp.BuildableClient); ok {
		if host := emulator(cfg); host != "" {
			c.route.tell(host)
			transport = throughEmulator(buildable, host)
		} else {
			transport = buildable.Freeze() // else every service client forks a pool of its own
		}
	}
	cfg.HTTPClient = transport
	attempts := cmpOr(c.options.MaxAttempts, cfg.RetryMaxAttempts, defaultAttempts)
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.RateLimiter = ratelimit.None // pacing is the Limiter's work
		})
	}
	cfg.APIOptions = append(cfg.APIOptions,
		awsmiddleware.AddUserAgentKeyValue("cloudarq", c.options.Version), c.deadline)
	c.guard.Protect(&cfg)
	return cfg, nil
}

func cmpOr(values ...int) int {
	for _, v := range values {
		if v != 0 {
			return v
		}
	}
	return 0
}

// deadline bounds a call with all its retries, but for the time that it waits for its
// turn: that is as long as AWS's quotas make it, and the task's own time bounds it.
func (c *Client) deadline(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("cloudarq.Deadline",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			clock := newStopwatch(c.options.CallTimeout, func() { cancel(context.DeadlineExceeded) })
			defer clock.pause()
			out, metadata, err := next.HandleInitialize(context.WithValue(ctx, stopwatchKey{}, clock), in)
			if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				err = &overdueError{err.Error()}
			}
			return out, metadata, err
		}), middleware.Before)
}

// overdueError is what became of a call whose time was over: the SDK's own word for that
// is that it was cancelled, as if somebody had stopped the audit.
type overdueError struct{ text string }

func (e *overdueError) Error() string { return context.DeadlineExceeded.Error() + ": " + e.text }

func (e *overdueError) Is(target error) bool { return target == context.DeadlineExceeded }

// stopwatch ends a call whose time is over; it stands still while the call waits.
type stopwatch struct {
	timer *time.Timer
	left  time.Duration
	since time.Time
}

type stopwatchKey struct{}

func newStopwatch(left time.Duration, over func()) *stopwatch {
	return &stopwatch{time.AfterFunc(left, over), left, time.Now()}
}

// pause stops it, resume lets it go on. A call's attempts come one after another, so
// that nobody else does either meanwhile.
func (s *stopwatch) pause() {
	if s.timer.Stop() {
		s.left -= time.Since(s.since)
	}
}

func (s *stopwatch) resume() {
	s.since = time.Now()
	s.timer.Reset(max(s.left, 0))
}

// emulator is the host and port of AWS_ENDPOINT_URL when it is on this machine;
// empty otherwise.
func emulator(cfg aws.Config) string {
	if cfg.BaseEndpoint == nil {
		return ""
	}
	u, err := url.Parse(*cfg.BaseEndpoint)
	if err != nil {
		return ""
	}
	if !loopback(u.Hostname()) {
		return ""
	}
	return u.Host
}

// throughEmulator sends everything to one address, also what S3 Control
// addresses to a host named after the account.
func throughEmulator(client *awshttp.BuildableClient, host string) aws.HTTPClient {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	return buffered.Client(client.WithTransportOptions(func(t *http.Transport) {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, host)
		}
	}).Freeze())
}
