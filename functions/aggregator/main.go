// Command aggregator turns the evidence of tasks into findings, closes audits
// and publishes alerts.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	sdksns "github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cloudarq/cloudarq/functions/internal/wiring"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/sns"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

type settings struct {
	wiring.Settings
	wiring.Told
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Dead        string        `env:"RESULTS_DEAD_QUEUE_URL,required"`
	Jobs        string        `env:"JOBS_QUEUE_URL,required"`
	Topic       string        `env:"ALERT_TOPIC_ARN,required"`
	ChatTopic   string        `env:"CHAT_TOPIC_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	LeaseFor    time.Duration `env:"LEASE_FOR,required"`
	Spare       time.Duration `env:"SPARE,required"`
}

func main() {
	cfg, f := wiring.Boot[settings]()
	results, bucket, topics := f.Queue(cfg.Results), f.Bucket(cfg.Bucket), sdksns.NewFromConfig(f.SDK)
	lists := &index.Keepers{Store: f.Store, Blobs: bucket, Now: time.Now, Tags: tags.Source{Store: f.Store, Evidence: bucket}.Of}
	p := &pipeline.Pipeline{
		Catalog: f.Catalog, Store: f.Store, Evidence: bucket,
		Index: lists, RollUp: trend.Maker{Index: lists, Store: f.Store, Catalog: f.Catalog, Now: time.Now}.RollUp,
		Results: results, Signings: f.Queue(cfg.Jobs), Alerts: sns.New(topics, cfg.Topic), Chat: sns.New(topics, cfg.ChatTopic),
		Events: f.Events(cfg.Told, false), Progress: pipeline.Silent{}, Meter: f.Meters, Now: time.Now, LeaseFor: cfg.LeaseFor, Spare: cfg.Spare, TempDir: os.TempDir(),
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: f.Meters, Log: f.Log,
		Sources: []lambdax.Source{
			{Queue: results, Handle: p.Ingest, Dead: f.Queue(cfg.Dead)},
		},
	}.Batch)
}
