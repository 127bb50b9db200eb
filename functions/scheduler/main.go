// Command scheduler starts the audits that are due, ends those that took too long,
// and has deleted connections purged, once a minute.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type settings struct {
	Version  string        `env:"CLOUDARQ_VERSION,required"`
	Table    string        `env:"TABLE_NAME,required"`
	Tasks    string        `env:"TASKS_QUEUE_URL,required"`
	Results  string        `env:"RESULTS_QUEUE_URL,required"`
	Purges   string        `env:"PURGE_QUEUE_URL,required"`
	Bound    time.Duration `env:"AUDIT_BOUND,required"`
	Evidence int           `env:"EVIDENCE_DAYS,required"`
}

func main() {
	log := lambdacontext.NewLogger()
	slog.SetDefault(log)
	cfg, err := env.ParseAs[settings]()
	lambdax.ExitOn(err)
	sdk, err := client.Own(context.Background(), cfg.Version)
	lambdax.ExitOn(err)
	catalog, err := services.Catalog()
	lambdax.ExitOn(err)
	queues := sdksqs.NewFromConfig(sdk)
	meters := lambdax.Meters(os.Stdout)
	p := &pipeline.Pipeline{
		Catalog: catalog, Store: store.New(dynamo.New(dynamodb.NewFromConfig(sdk), cfg.Table, dynamo.Options{}), catalog.Severity),
		Tasks: sqs.New(queues, cfg.Tasks, pipeline.OrganizationOf), Results: sqs.New(queues, cfg.Results, pipeline.OrganizationOf),
		Purges: sqs.New(queues, cfg.Purges, pipeline.OrganizationOf),
		Meter:  meters, Now: time.Now, Bound: cfg.Bound, KeepDetail: time.Duration(cfg.Evidence) * 24 * time.Hour,
	}
	lambda.Start(lambdax.Clock(p.Tick, meters, log))
}
