// Package auth is what whoever stands in front of the API knows of who makes a request:
// an API gateway that verified a signature. All other callers the API knows by itself.
package auth

import "context"

type operatorKey struct{}

// WithOperator notes the IAM principal that signed a request, as the gateway verified, by
// its ARN.
func WithOperator(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, operatorKey{}, arn)
}

// OperatorOf is the IAM principal that signed a request, if one did.
func OperatorOf(ctx context.Context) (arn string, ok bool) {
	arn, _ = ctx.Value(operatorKey{}).(string)
	return arn, arn != ""
}
