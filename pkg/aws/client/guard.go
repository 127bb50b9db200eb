package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// RefusedError is the read-only guard's answer to an operation that is not in
// the published table. Nothing was signed or sent.
type RefusedError struct {
	Operation string // "S3.PutObject"
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("read-only guard: %s is not among the operations that CloudArq calls", e.Operation)
}

// RetryableError tells the SDK that asking again changes nothing.
func (e *RefusedError) RetryableError() bool { return false }

// Guard refuses every operation outside of a table, before it is signed. A
// second barrier in the HTTP client stops requests of clients from which the
// middleware was removed.
type Guard struct {
	allowed map[string]bool
}

// NewGuard makes the guard of the published table.
func NewGuard() *Guard {
	g := &Guard{allowed: map[string]bool{}}
	for _, op := range policy.Operations() {
		g.allowed[op.ID] = true
	}
	return g
}

// Allows reports whether an operation, "<SDK service id>.<name>", may be called.
func (g *Guard) Allows(operation string) bool { return g.allowed[operation] }

type guarded struct{}

// Protect puts both barriers into a configuration. Every client made from it is
// read-only.
func (g *Guard) Protect(cfg *aws.Config) {
	cfg.HTTPClient = barrier{cfg.HTTPClient}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), g.install)
}

func (g *Guard) install(stack *middleware.Stack) error {
	refuse := middleware.InitializeMiddlewareFunc("cloudarq.ReadOnlyGuard",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			operation := operationID(ctx)
			if !g.allowed[operation] {
				return middleware.InitializeOutput{}, middleware.Metadata{}, &RefusedError{operation}
			}
			return next.HandleInitialize(context.WithValue(ctx, guarded{}, true), in)
		})
	// Older clients name a call in its context by a middleware of their own, newer
	// ones before the first middleware.
	const naming = "RegisterServiceMetadata"
	if _, older := stack.Initialize.Get(naming); older {
		return stack.Initialize.Insert(refuse, naming, middleware.After)
	}
	return stack.Initialize.Add(refuse, middleware.Before)
}

// barrier is the guard's backstop: an HTTP client that sends only what passed
// the middleware.
type barrier struct{ next aws.HTTPClient }

func (b barrier) Do(r *http.Request) (*http.Response, error) {
	if passed, _ := r.Context().Value(guarded{}).(bool); !passed {
		return nil, &RefusedError{operationID(r.Context())}
	}
	return b.next.Do(r)
}

func operationID(ctx context.Context) string {
	return awsmiddleware.GetServiceID(ctx) + "." + awsmiddleware.GetOperationName(ctx)
}
