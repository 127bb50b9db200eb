package client

import (
	"context"
	"errors"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
)

// record adds a ledger to a client's middleware, outside of the retries: one
// entry a call, however often it was attempted.
func record(to ledger.Ledger) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		name := middleware.InitializeMiddlewareFunc("cloudarq.CallName",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if entry, ok := ctx.Value(entryKey{}).(*ledger.Entry); ok {
					entry.Service, entry.Operation = awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
					entry.Region = awsmiddleware.GetRegion(ctx)
				}
				return next.HandleInitialize(ctx, in)
			})
		// Last, where every client has named the call in its context.
		if err := stack.Initialize.Add(name, middleware.After); err != nil {
			return err
		}
		if budget, ok := to.(ledger.Budget); ok {
			if err := stack.Finalize.Insert(within(budget), "Retry", middleware.After); err != nil {
				return err
			}
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("cloudarq.CallLedger",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				start := time.Now()
				entry := ledger.Entry{At: start.UTC(), Attempts: 1}
				out, metadata, err := next.HandleInitialize(context.WithValue(ctx, entryKey{}, &entry), in)
				entry.DurationMS = float64(time.Since(start).Microseconds()) / 1000
				entry.Outcome, entry.RequestID = outcome(err), requestID(metadata, err)
				if refused := (*RefusedError)(nil); errors.As(err, &refused) {
					entry.Service, entry.Operation, _ = strings.Cut(refused.Operation, ".")
				}
				if results, ok := retry.GetAttemptResults(metadata); ok {
					entry.Attempts = len(results.Results)
					for i, attempt := range results.Results {
						if id := requestID(attempt.ResponseMetadata, attempt.Err); id != "" && i+1 < len(results.Results) {
							entry.EarlierIDs = append(entry.EarlierIDs, id)
						}
						if isThrottle(attempt.Err) {
							entry.Throttles++
						}
					}
				}
				if errors.Is(err, ledger.ErrSpent) { // before its last attempt
					if entry.Attempts--; entry.Attempts == 0 {
						return out, metadata, err
					}
				}
				to.Record(entry)
				return out, metadata, err
			}), middleware.Before)
	}
}

// within makes each request only if its budget allows it, repeated ones included.
func within(budget ledger.Budget) middleware.FinalizeMiddleware {
	return middleware.FinalizeMiddlewareFunc("cloudarq.CallBudget",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if err := budget.Allow(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleFinalize(ctx, in)
		})
}

type entryKey struct{}

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
	case errors.Is(err, ledger.ErrSpent):
		return "over budget"
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
