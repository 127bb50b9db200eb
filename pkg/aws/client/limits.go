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

// DefaultShare is the part of AWS's quotas that an audit takes, of 1: the account's own
// work comes first.
const DefaultShare = 0.5

// unlisted is the quota of what no quota is known of; a test holds that nothing that is
// called is such.
var unlisted = Limit{PerSecond: 10, Burst: 20}

// Limiter paces calls by AWS's quotas, in each account and region for itself. One
// limiter serves all accounts of a process; buckets are made when first needed. A bucket
// that AWS throttles gives way. No two tasks of an audit call the same operation often,
// so that of several processes that read an account each has its own quotas.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	quotas  []Quota
	share   float64
	rest    time.Duration // see the constant
	inUse   chan struct{} // calls under way in all
}

// CallsAtOnce bounds the calls that one process has under way, and so its
// connections and buffers.
const CallsAtOnce = 64

// NewLimiter makes a limiter that takes a share of AWS's quotas, more than 0 and at most
// 1; 0 is DefaultShare.
func NewLimiter(share float64) *Limiter {
	if share <= 0 || share > 1 {
		share = DefaultShare
	}
	return newLimiter(Quotas(), share, CallsAtOnce)
}

// Unlimited paces nothing but the number of calls under way; for emulators and
// benchmarks, which have no quotas to respect.
func Unlimited() *Limiter { return newLimiter(nil, 0, CallsAtOnce) }

func newLimiter(quotas []Quota, share float64, atOnce int) *Limiter {
	return &Limiter{buckets: map[string]*bucket{}, quotas: quotas, share: share, rest: rest, inUse: make(chan struct{}, atOnce)}
}

// How a bucket gives way. AWS's own work in the account comes first: what is
// throttled has a quota that others use, too, and trying on at the same rate would
// take it from them.
const (
	giveWayOnce  = time.Second      // calls that were under way together are throttled together: they halve the rate once
	slowest      = 1.0 / 32         // of the share
	rest         = 5 * time.Second  // without any call, in which AWS's bucket fills for others
	restoreAfter = 20 * time.Second // without a throttle, until the next step back
	restoreBy    = 1.0 / 16         // of the share, in each step
)

// bucket paces calls of one kind.
type bucket struct {
	*rate.Limiter
	ours Limit // what we take while nothing is throttled
	rest time.Duration

	mu     sync.Mutex
	part   float64   // of ours that is used now
	since  time.Time // of the last change of it
	halved time.Time
}

// giveWay halves the rate, because AWS throttled a call.
func (b *bucket) giveWay() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ours.PerSecond == rate.Inf || time.Since(b.halved) < giveWayOnce {
		return
	}
	b.restore()
	b.halved = time.Now()
	b.use(max(slowest, b.part/2), b.halved)
}

// limit is the rate that is used now, after what came back of it since.
func (b *bucket) limit() rate.Limit {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.restore()
	return b.Limit()
}

// pause lets the time go by in which nothing is called after a throttle.
func (b *bucket) pause(ctx context.Context) error {
	b.mu.Lock()
	until := b.halved.Add(b.rest)
	b.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return nil
	}
	if end, bounded := ctx.Deadline(); bounded && end.Before(until) {
		return fmt.Errorf("%w before the call's turn", context.DeadlineExceeded)
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *bucket) restore() {
	steps := int(time.Since(b.since) / restoreAfter)
	if b.part < 1 && steps > 0 {
		b.use(min(1, b.part+restoreBy*float64(steps)), b.since.Add(restoreAfter*time.Duration(steps)))
	}
}

func (b *bucket) use(part float64, since time.Time) {
	b.part, b.since = part, since
	b.SetLimit(b.ours.PerSecond * rate.Limit(part))
	b.SetBurst(max(1, int(float64(b.ours.Burst)*part)))
}

// take waits for the bucket. The wait that would take longer than there is time
// is not begun, and is a matter of time.
func (b *bucket) take(ctx context.Context) error {
	b.limit()
	if err := b.pause(ctx); err != nil {
		return err
	}
	if err := b.Wait(ctx); ctx.Err() != nil {
		return context.Cause(ctx)
	} else if err != nil {
		return fmt.Errorf("%w before the call's turn: %w", context.DeadlineExceeded, err)
	}
	return nil
}

// wait returns when a call may be sent; done gives its place back.
func (l *Limiter) wait(ctx context.Context, account, region, service, operation string) (done func(), err error) {
	if clock, ok := ctx.Value(stopwatchKey{}).(*stopwatch); ok {
		clock.pause()
		defer clock.resume()
	}
	if err := l.bucket(account, region, service, operation).take(ctx); err != nil {
		return nil, err
	}
	select {
	case l.inUse <- struct{}{}:
		return func() { <-l.inUse }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Rate is how fast an operation may be called in one account and region, alone or with
// others that its quota is shared with.
func (l *Limiter) Rate(service, operation string) Limit {
	limit, _ := l.rate(service, operation)
	return limit
}

func (l *Limiter) rate(service, operation string) (limit Limit, bucket string) {
	quota, bucket, known := quotaOf(l.quotas, service, operation)
	switch {
	case l.share == 0:
		return Limit{PerSecond: rate.Inf}, bucket
	case !known:
		return unlisted.share(l.share), bucket
	}
	return quota.Limit.share(l.share), bucket
}

// bucket is that of an operation.
func (l *Limiter) bucket(account, region, service, operation string) *bucket {
	limit, name := l.rate(service, operation)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := account + "/" + region + "/" + name
	if b, ok := l.buckets[key]; ok {
		return b
	}
	b := &bucket{Limiter: rate.NewLimiter(limit.PerSecond, limit.Burst), ours: limit, rest: l.rest, part: 1}
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
					l.bucket(account, region, service, operation).giveWay()
				}
				return out, metadata, err
			}), "Retry", middleware.After)
	}
}
