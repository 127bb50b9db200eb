// Command aggregator turns the evidence of tasks into findings, closes audits
// and publishes alerts. It also purges deleted connections, from a queue of their
// own, so that results do not wait behind them.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	sdksns "github.com/aws/aws-sdk-go-v2/service/sns"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/sns"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type settings struct {
	Version     string        `env:"CLOUDARQ_VERSION,required"`
	Table       string        `env:"TABLE_NAME,required"`
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Dead        string        `env:"RESULTS_DEAD_QUEUE_URL,required"`
	Purges      string        `env:"PURGE_QUEUE_URL,required"`
	DeadPurges  string        `env:"PURGE_DEAD_QUEUE_URL,required"`
	Topic       string        `env:"ALERT_TOPIC_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	LeaseFor    time.Duration `env:"LEASE_FOR,required"`
	Spare       time.Duration `env:"SPARE,required"`
	Memory      int           `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE,required"`
}

func main() {
	log := lambdacontext.NewLogger()
	slog.SetDefault(log)
	cfg, err := env.ParseAs[settings]()
	lambdax.ExitOn(err)
	lambdax.BoundMemory(cfg.Memory)
	sdk, err := client.Own(context.Background(), cfg.Version)
	lambdax.ExitOn(err)
	catalog, err := services.Catalog()
	lambdax.ExitOn(err)
	queues := sdksqs.NewFromConfig(sdk)
	results, purges := sqs.New(queues, cfg.Results, pipeline.OrganizationOf), sqs.New(queues, cfg.Purges, pipeline.OrganizationOf)
	meters := lambdax.Meters(os.Stdout)
	p := &pipeline.Pipeline{
		Catalog: catalog, Store: store.New(dynamo.New(dynamodb.NewFromConfig(sdk), cfg.Table, dynamo.Options{}), catalog.Severity),
		Evidence: s3.New(sdks3.NewFromConfig(sdk, s3.PathStyle(client.Emulated(sdk))), cfg.Bucket),
		Results:  results, Purges: purges, Alerts: sns.New(sdksns.NewFromConfig(sdk), cfg.Topic),
		Progress: pipeline.Silent{}, Meter: meters, Now: time.Now, LeaseFor: cfg.LeaseFor, Spare: cfg.Spare, TempDir: os.TempDir(),
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: meters, Log: log,
		Sources: []lambdax.Source{
			{Queue: results, Handle: p.Ingest, Dead: sqs.New(queues, cfg.Dead, nil)},
			{Queue: purges, Handle: p.RunPurge, Dead: sqs.New(queues, cfg.DeadPurges, nil)},
		},
	}.Batch)
}
