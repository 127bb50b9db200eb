package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
)

// Limit is how fast one kind of call may go, in one account and region.
type Limit struct {
	PerSecond rate.Limit
	Burst     int
}

// limits holds the rates of services, and of single operations where AWS
// limits them by themselves ("Lambda.GetPolicy"). They stay well under AWS's own
// quotas, because the account's own work shares those. Sources: the services'
// quota pages, for instance
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
var limits = map[string]Limit{
	"":                             {20, 40}, // whatever is not named
	"API Gateway":                  {5, 10},  // 10 a second for an account in all
	"CloudFront":                   {10, 20},
	"CloudTrail":                   {10, 10}, // DescribeTrails and GetTrailStatus: 10
	"CloudWatch Logs":              {10, 10},
	"Config Service":               {10, 20},
	"DynamoDB":                     {20, 40}, // control plane
	"EC2":                          {20, 100},
	"IAM":                          {15, 30},
	"KMS":                          {20, 50},
	"Lambda":                       {15, 30}, // 15 a second for all control-plane reads together
	"Organizations":                {5, 10},
	"Route 53":                     {5, 5}, // five a second for an account, a hard limit
	"S3":                           {100, 200},
	"S3 Control":                   {10, 20},
	"SQS":                          {50, 100},
	"SNS":                          {30, 30}, // GetTopicAttributes and lists: 30
	"Secrets Manager":              {40, 40},
	"RDS":                          {15, 30},
	"Elastic Load Balancing":       {10, 40},
	"Elastic Load Balancing v2":    {10, 40},
	"STS":                          {50, 100},
	"IAM.GenerateCredentialReport": {1, 2},
}

// Limiter paces calls per (account, region, service). One limiter serves all
// accounts of a process; buckets are made when first needed. A bucket that AWS
// throttles gives way.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	limits  map[string]Limit
	inUse   chan struct{} // calls under way in all
}

// CallsAtOnce bounds the calls that one process has under way, and so its
// connections and buffers.
const CallsAtOnce = 64

// NewLimiter makes a limiter with the known limits of AWS's APIs.
func NewLimiter() *Limiter { return newLimiter(limits, CallsAtOnce) }

// Unlimited paces nothing but the number of calls under way; for emulators and
// benchmarks, which have no quotas to respect.
func Unlimited() *Limiter { return newLimiter(map[string]Limit{"": {rate.Inf, 0}}, CallsAtOnce) }

func newLimiter(limits map[string]Limit, atOnce int) *Limiter {
	return &Limiter{buckets: map[string]*bucket{}, limits: limits, inUse: make(chan struct{}, atOnce)}
}

// How a bucket gives way. AWS's own work in the account comes first: what is
// throttled has a quota that others use, too, and trying on at the same rate would
// take it from them.
const (
	giveWayOnce  = time.Second     // calls that were under way together are throttled together: they halve the rate once
	slowest      = 1.0 / 4         // of the known limit; slower, and calls that wait their turn would outlast their minute
	restoreAfter = 5 * time.Second // without a throttle, until the next step back
	restoreBy    = 1.0 / 16        // of the known limit, in each step
)

// bucket paces calls of one kind.
type bucket struct {
	*rate.Limiter
	known Limit

	mu     sync.Mutex
	share  float64   // of the known limit that is used now
	since  time.Time // of the last change of it
	halved time.Time
}

// giveWay halves the rate, because AWS throttled a call.
func (b *bucket) giveWay() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known.PerSecond == rate.Inf || time.Since(b.halved) < giveWayOnce {
		return
	}
	b.restore()
	b.halved = time.Now()
	b.use(max(slowest, b.share/2), b.halved)
}

// limit is the rate that is used now, after what came back of it since.
func (b *bucket) limit() rate.Limit {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.restore()
	return b.Limit()
}

func (b *bucket) restore() {
	steps := int(time.Since(b.since) / restoreAfter)
	if b.share < 1 && steps > 0 {
		b.use(min(1, b.share+restoreBy*float64(steps)), b.since.Add(restoreAfter*time.Duration(steps)))
	}
}

func (b *bucket) use(share float64, since time.Time) {
	b.share, b.since = share, since
	b.SetLimit(b.known.PerSecond * rate.Limit(share))
	b.SetBurst(max(1, int(float64(b.known.Burst)*share)))
}

// take waits for the bucket. The wait that would take longer than there is time
// is not begun, and is a matter of time.
func (b *bucket) take(ctx context.Context) error {
	b.limit()
	if err := b.Wait(ctx); ctx.Err() != nil {
		return context.Cause(ctx)
	} else if err != nil {
		return fmt.Errorf("%w before the call's turn: %w", context.DeadlineExceeded, err)
	}
	return nil
}

// wait returns when a call may be sent; done gives its place back.
func (l *Limiter) wait(ctx context.Context, account, region, service, operation string) (done func(), err error) {
	if err := l.bucket(account, region, l.name(service, operation)).take(ctx); err != nil {
		return nil, err
	}
	select {
	case l.inUse <- struct{}{}:
		return func() { <-l.inUse }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// name is what the bucket of an operation is named after.
func (l *Limiter) name(service, operation string) string {
	if own := service + "." + operation; l.limits[own] != (Limit{}) {
		return own
	}
	return service
}

func (l *Limiter) bucket(account, region, name string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := account + "/" + region + "/" + name
	if b, ok := l.buckets[key]; ok {
		return b
	}
	limit, ok := l.limits[name]
	if !ok {
		limit = l.limits[""]
	}
	b := &bucket{Limiter: rate.NewLimiter(limit.PerSecond, limit.Burst), known: limit, share: 1}
	l.buckets[key] = b
	return b
}

// install paces every attempt of a client's calls, retries included.
func (l *Limiter) install(account string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("cloudarq.Limiter",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				region, service, operation := awsmiddleware.GetRegion(ctx), awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
				done, err := l.wait(ctx, account, region, service, operation)
				if err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				defer done()
				out, metadata, err := next.HandleFinalize(ctx, in)
				if err != nil && collect.Throttled(err) {
					l.bucket(account, region, l.name(service, operation)).giveWay()
				}
				return out, metadata, err
			}), "Retry", middleware.After)
	}
}
