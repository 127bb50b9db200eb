package awsx

import (
	"context"
	"errors"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/cloudarq/cloudarq/pkg/ledger"
)

// record adds a ledger to a client's middleware, outside of the retries: one
// entry a call, however often it was attempted.
func record(to ledger.Ledger, region string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("cloudarq.CallLedger",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				start := time.Now()
				out, metadata, err := next.HandleInitialize(ctx, in)
				entry := ledger.Entry{
					At: start.UTC(), DurationMS: float64(time.Since(start).Microseconds()) / 1000,
					Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx),
					Region: region, Outcome: outcome(err), Attempts: 1,
				}
				if results, ok := retry.GetAttemptResults(metadata); ok {
					entry.Attempts = len(results.Results)
					for _, attempt := range results.Results {
						if isThrottle(attempt.Err) {
							entry.Throttles++
						}
					}
				}
				entry.RequestID = requestID(metadata, err)
				to.Record(entry)
				return out, metadata, err
			}), middleware.Before)
	}
}

func requestID(metadata middleware.Metadata, err error) string {
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		return id
	}
	var response interface{ ServiceRequestID() string }
	if errors.As(err, &response) {
		return response.ServiceRequestID()
	}
	return ""
}

func outcome(err error) string {
	var api smithy.APIError
	var refused *RefusedError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "timeout"
	default:
		return "error"
	}
}

func isThrottle(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err).Bool()
}
