package estate

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cloudarq/cloudarq/internal/buffered"
)

// ownersTransport is for all owners together.
var ownersTransport = buffered.Transport(http.DefaultTransport)

// Owner acts in an account of the emulator as the account itself, above all
// access control, in eu-west-1.
func Owner(endpoint, account string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(endpoint), RetryMaxAttempts: 3,
		Credentials: credentials.NewStaticCredentialsProvider("owner", "owner", ""),
		HTTPClient:  &http.Client{Transport: ownersTransport},
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Build.Add(middleware.BuildMiddlewareFunc("Account",
				func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
					if r, ok := in.Request.(*smithyhttp.Request); ok {
						r.Header.Set("X-Moto-Account-Id", account)
					}
					return next.HandleBuild(ctx, in)
				}), middleware.After)
		}},
	}
}
