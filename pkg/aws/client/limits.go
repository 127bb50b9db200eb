package client

import (
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
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
// accounts of a process; buckets are made when first needed.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
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
	return &Limiter{buckets: map[string]*rate.Limiter{}, limits: limits, inUse: make(chan struct{}, atOnce)}
}

// wait returns when a call may be sent; done gives its place back.
func (l *Limiter) wait(ctx context.Context, account, region, service, operation string) (done func(), err error) {
	if _, own := l.limits[service+"."+operation]; own {
		service += "." + operation
	}
	if err := l.bucket(account, region, service).Wait(ctx); err != nil {
		return nil, err
	}
	select {
	case l.inUse <- struct{}{}:
		return func() { <-l.inUse }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *Limiter) bucket(account, region, name string) *rate.Limiter {
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
	b := rate.NewLimiter(limit.PerSecond, limit.Burst)
	l.buckets[key] = b
	return b
}

// install paces every attempt of a client's calls, retries included.
func (l *Limiter) install(account string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("cloudarq.Limiter",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				done, err := l.wait(ctx, account, awsmiddleware.GetRegion(ctx), awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx))
				if err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				defer done()
				return next.HandleFinalize(ctx, in)
			}), "Retry", middleware.After)
	}
}
