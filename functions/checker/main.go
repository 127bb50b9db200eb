// Command checker does the tasks of audits: it opens an account and plans, or
// collects and judges one service of it. It is the one function that reaches
// into accounts.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	secretkms "github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type settings struct {
	Version     string        `env:"CLOUDARQ_VERSION,required"`
	Table       string        `env:"TABLE_NAME,required"`
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Tasks       string        `env:"TASKS_QUEUE_URL,required"`
	Dead        string        `env:"TASKS_DEAD_QUEUE_URL,required"`
	Urgent      string        `env:"URGENT_QUEUE_URL,required"`
	UrgentDead  string        `env:"URGENT_DEAD_QUEUE_URL,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Key         string        `env:"KEY_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	Spare       time.Duration `env:"TASK_SPARE,required"`
	Bound       time.Duration `env:"AUDIT_BOUND,required"`
	Memory      int           `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE,required"`
	WatchEvery  time.Duration `env:"WATCH_EVERY,required"`
	VerifyEvery time.Duration `env:"VERIFY_EVERY,required"`
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
	tasks, urgent := sqs.New(queues, cfg.Tasks, pipeline.OrganizationOf), sqs.New(queues, cfg.Urgent, pipeline.OrganizationOf)
	records := store.New(dynamo.New(dynamodb.NewFromConfig(sdk), cfg.Table, dynamo.Options{}), nil)
	keys := secret.Cached(secretkms.New(kms.NewFromConfig(sdk), cfg.Key), 1000, 5*time.Minute, time.Now)
	meters := lambdax.Meters(os.Stdout)
	p := &pipeline.Pipeline{
		Catalog: catalog, Specs: collectors.ByService(), Store: records,
		Evidence: s3.New(sdks3.NewFromConfig(sdk, s3.PathStyle(client.Emulated(sdk))), cfg.Bucket),
		Tasks:    tasks, Urgent: urgent, Results: sqs.New(queues, cfg.Results, pipeline.OrganizationOf),
		Accounts: connect.Accounts{
			Catalog:     catalog,
			ExternalIDs: connect.ExternalIDs{Store: records, Keys: keys},
			VerifyEvery: cfg.VerifyEvery, Now: time.Now,
			Client: client.New(client.Options{Version: cfg.Version, CustomEndpoint: collectors.CustomEndpoint}),
		},
		Progress: pipeline.Silent{}, Meter: meters, Now: time.Now, Spare: cfg.Spare, ContinueFor: cfg.Bound * 3 / 4, WatchEvery: cfg.WatchEvery,
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: meters, Log: log,
		Sources: []lambdax.Source{
			{Queue: tasks, Handle: p.RunTask, Dead: sqs.New(queues, cfg.Dead, nil)},
			{Queue: urgent, Handle: p.RunTask, Dead: sqs.New(queues, cfg.UrgentDead, nil)},
		},
	}.Batch)
}
