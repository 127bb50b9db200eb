// Package auth knows who makes a request. Whatever stands in front of the API
// has verified the caller and notes them in the request's context; a request
// without a caller is refused.
package auth

import "context"

// Caller is who makes a request.
type Caller struct {
	ARN     string // of the IAM principal that signed it
	Address string // that the request came from, as whoever stands in front saw it
}

type callerKey struct{}

// WithCaller notes a verified caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is the verified caller, if there is one.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok && c.ARN != ""
}
