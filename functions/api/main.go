// Command api answers HTTP requests, behind API Gateway.
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
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	secretkms "github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type settings struct {
	Version     string        `env:"CLOUDARQ_VERSION,required"`
	Table       string        `env:"TABLE_NAME,required"`
	Urgent      string        `env:"URGENT_QUEUE_URL,required"`
	Key         string        `env:"KEY_ARN,required"`
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	CheckerRole string        `env:"CHECKER_ROLE_ARN,required"`
	AuditRole   string        `env:"AUDIT_ROLE_NAME,required"`
	Bound       time.Duration `env:"AUDIT_BOUND,required"`
	Evidence    int           `env:"EVIDENCE_DAYS,required"`
	PurgeAfter  time.Duration `env:"PURGE_AFTER,required"`
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
	records := store.New(dynamo.New(dynamodb.NewFromConfig(sdk), cfg.Table, dynamo.Options{}), catalog.Severity)
	keys := secret.Cached(secretkms.New(kms.NewFromConfig(sdk), cfg.Key), 1000, 5*time.Minute, time.Now)
	bucket := s3.New(sdks3.NewFromConfig(sdk, s3.PathStyle(client.Emulated(sdk))), cfg.Bucket)
	meters := lambdax.Meters(os.Stdout)
	handler := &api.API{
		Store: records, Catalog: catalog, ExternalIDs: connect.ExternalIDs{Store: records, Keys: keys},
		AccessKeys: connect.AccessKeys{Store: records, Keys: keys, Now: time.Now}, Rekeying: connect.Rekeying{Store: records, Keys: keys},
		Pipeline: &pipeline.Pipeline{
			Catalog: catalog, Store: records, Urgent: sqs.New(sdksqs.NewFromConfig(sdk), cfg.Urgent, pipeline.OrganizationOf),
			Meter: meters, Now: time.Now, Bound: cfg.Bound, KeepDetail: time.Duration(cfg.Evidence) * 24 * time.Hour, PurgeAfter: cfg.PurgeAfter,
		},
		Templates: bucket, Ledgers: bucket,
		Now: time.Now, Log: log, CheckerRole: cfg.CheckerRole, AuditRole: cfg.AuditRole, Region: sdk.Region, Version: cfg.Version,
	}
	lambda.Start(lambdax.HTTP(handler.Handler(), meters, log))
}
