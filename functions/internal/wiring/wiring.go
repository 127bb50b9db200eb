// Package wiring is what the mains of the functions share: the settings that each
// has, and what is made of them. Like them it reads the environment and chooses
// drivers, which nothing else may.
package wiring

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdkeventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/bus/eventbridge"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Settings are those of every function; each main embeds them in its own.
type Settings struct {
	Table  string `env:"TABLE_NAME,required"`
	Memory int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE,required"` // megabytes; Lambda sets it
}

func (s Settings) shared() Settings { return s }

// Function is what every function works with.
type Function struct {
	Log     *slog.Logger
	SDK     aws.Config // of the function's own role
	Catalog *check.Catalog
	Meters  *metrics.EMF
	Store   *store.Store

	queues *sdksqs.Client
}

// Boot reads a function's settings from the environment, T, and wires what it shares
// with the others. It ends a function that cannot start.
func Boot[T interface{ shared() Settings }]() (T, Function) {
	f := Function{Log: lambdacontext.NewLogger(), Meters: lambdax.Meters(os.Stdout)}
	slog.SetDefault(f.Log)
	f.Log.Info("start", slog.String("version", version.String()), slog.String("commit", version.Commit()))
	cfg, err := env.ParseAs[T]()
	lambdax.ExitOn(err)
	s := cfg.shared()
	lambdax.BoundMemory(s.Memory)
	f.SDK, err = client.Own(context.Background(), version.String())
	lambdax.ExitOn(err)
	f.Catalog, err = services.Catalog()
	lambdax.ExitOn(err)
	f.Store = store.New(dynamo.New(dynamodb.NewFromConfig(f.SDK), s.Table, dynamo.Options{}), f.Catalog.Severity)
	f.queues = sdksqs.NewFromConfig(f.SDK)
	return cfg, f
}

// Queue is the queue at a URL, which organizations share.
func (f Function) Queue(url string) *sqs.Queue {
	return sqs.New(f.queues, url, pipeline.OrganizationOf)
}

// Bucket is the bucket of a name.
func (f Function) Bucket(name string) *s3.Store {
	return s3.New(sdks3.NewFromConfig(f.SDK, s3.PathStyle(client.Emulated(f.SDK))), name)
}

// Told are the settings of a function that tells of what happens.
type Told struct {
	EventBus string `env:"EVENT_BUS"` // by its name; empty tells nobody
}

// Events is where events go, nil if nowhere. Who could not do again what happened, always
// goes on without it.
func (f Function) Events(t Told, always bool) bus.Publisher {
	if t.EventBus == "" {
		return nil
	}
	return bus.Lenient{
		Publisher: eventbridge.New(sdkeventbridge.NewFromConfig(f.SDK), t.EventBus), Always: always, Within: 5 * time.Second,
		Lost: func(ctx context.Context, events int, err error) {
			f.Log.ErrorContext(ctx, "events are lost", slog.Int("events", events), slog.Any("error", err))
			f.Meters.Add(metrics.EventsLost, float64(events))
		},
	}
}

// Keys wraps data keys by the KMS key of an ARN, and keeps those that it opened for
// some minutes.
func (f Function) Keys(arn string) secret.Wrapper {
	return secret.Cached(kms.New(sdkkms.NewFromConfig(f.SDK), arn), 1000, 5*time.Minute, time.Now)
}
