// Package fake answers AWS calls in tests, for all services alike. It stands
// where the request would be written: the SDK's own input validation runs before
// it, and its error wrapping around it, as in production.
package fake

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Fake is a set of answers, one per type of input. An operation without an
// answer fails the test.
type Fake struct {
	mu      sync.Mutex
	answers map[reflect.Type]answer
	seen    map[string]int // "<SDK service id>.<operation>" -> calls

	// Meddle, when set, sees every call before it is answered; an error that it
	// returns is the answer.
	Meddle func(operation string, call int) error
}

type answer func(context.Context, any) (any, error)

// New makes a fake that answers nothing yet.
func New() *Fake {
	return &Fake{answers: map[reflect.Type]answer{}, seen: map[string]int{}}
}

// On answers one operation, which the type of its input names. A later answer
// to the same operation takes the place of an earlier one.
func On[In, Out any](f *Fake, respond func(*In) (*Out, error)) {
	OnRegion(f, func(_ string, in *In) (*Out, error) { return respond(in) })
}

// OnRegion is On for answers that depend on the region asked.
func OnRegion[In, Out any](f *Fake, respond func(region string, in *In) (*Out, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[reflect.TypeFor[*In]()] = func(ctx context.Context, in any) (any, error) {
		return respond(awsmiddleware.GetRegion(ctx), in.(*In))
	}
}

// OnPages answers the calls of one operation with the pages in turn, again and
// again; every page but the last must carry its token.
func OnPages[In, Out any](f *Fake, pages ...*Out) {
	turn := 0
	On(f, func(*In) (*Out, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		page := pages[turn%len(pages)]
		turn++
		return page, nil
	})
}

// Deny answers one operation with AWS's refusal.
func Deny[In any](f *Fake) { Fail[In](f, "AccessDeniedException") }

// Fail answers one operation with an error code of AWS.
func Fail[In any](f *Fake, code string) {
	On(f, func(*In) (*struct{}, error) { return nil, Error(code) })
}

// Error is an error as AWS gives it.
func Error(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: code + " by the fake"}
}

// Config is a configuration whose clients the fake answers, for a region of
// Ireland. Throttled calls are tried again at once, as often as in production.
func (f *Fake) Config(t testing.TB) aws.Config {
	t.Helper()
	return config(func(ctx context.Context, in any) (any, error) { return f.answer(ctx, t, in) })
}

// Respond answers any operation of any service: in is a pointer to the SDK's input,
// the answer one to its output. The operation is "<SDK service id>.<operation>".
type Respond func(ctx context.Context, region, operation string, in any) (any, error)

// Any is a configuration whose clients respond answers, whatever they ask: for
// accounts of a size that no list of answers could have. It is for benches as well,
// which have no test to fail.
func Any(respond Respond) aws.Config {
	return config(func(ctx context.Context, in any) (any, error) {
		return respond(ctx, awsmiddleware.GetRegion(ctx), awsmiddleware.GetServiceID(ctx)+"."+awsmiddleware.GetOperationName(ctx), in)
	})
}

func config(answer func(context.Context, any) (any, error)) aws.Config {
	cfg := Unanswered()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error { return install(stack, answer) })
	return cfg
}

// Unanswered is a configuration for a region of Ireland whose calls nobody answers
// yet. Throttled calls are tried again at once, as often as in production, and a
// call's context has its Input.
func Unanswered() aws.Config {
	return aws.Config{
		Region:      "eu-west-1",
		Credentials: aws.AnonymousCredentials{},
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.RateLimiter = ratelimit.None
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
		APIOptions: []func(*middleware.Stack) error{remember},
	}
}

type inputKey struct{}

// Input is what a call was made with, a pointer to the SDK's input.
func Input(ctx context.Context) any { return middleware.GetStackValue(ctx, inputKey{}) }

func remember(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("fake.Remember",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
		}), middleware.After)
}

// install answers after the retries' place in the stack, so that the SDK
// retries what it would retry of AWS's own answers.
func install(stack *middleware.Stack, respond func(context.Context, any) (any, error)) error {
	answer := middleware.FinalizeMiddlewareFunc("fake.Answer",
		func(ctx context.Context, _ middleware.FinalizeInput, _ middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, err := respond(ctx, Input(ctx))
			return middleware.FinalizeOutput{Result: out}, middleware.Metadata{}, err
		})
	return stack.Finalize.Insert(answer, "Retry", middleware.After)
}

func (f *Fake) answer(ctx context.Context, t testing.TB, in any) (any, error) {
	operation := awsmiddleware.GetServiceID(ctx) + "." + awsmiddleware.GetOperationName(ctx)
	f.mu.Lock()
	f.seen[operation]++
	call := f.seen[operation]
	answer, known := f.answers[reflect.TypeOf(in)]
	f.mu.Unlock()
	if !known {
		t.Errorf("%s was called without an answer", operation)
		return nil, fmt.Errorf("fake: no answer to %s", operation)
	}
	if f.Meddle != nil {
		if err := f.Meddle(operation, call); err != nil {
			return nil, err
		}
	}
	return answer(ctx, in)
}

// Operations lists the operations called so far, sorted.
func (f *Fake) Operations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.seen))
}

// Calls is how often an operation was called.
func (f *Fake) Calls(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[operation]
}
