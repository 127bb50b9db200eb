// Command aggregator turns the evidence of tasks into findings, closes audits
// and publishes alerts. It also purges deleted connections, from a queue of their
// own, so that results do not wait behind them.
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
)

type settings struct {
	wiring.Settings
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Dead        string        `env:"RESULTS_DEAD_QUEUE_URL,required"`
	Purges      string        `env:"PURGE_QUEUE_URL,required"`
	DeadPurges  string        `env:"PURGE_DEAD_QUEUE_URL,required"`
	Topic       string        `env:"ALERT_TOPIC_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	LeaseFor    time.Duration `env:"LEASE_FOR,required"`
	Spare       time.Duration `env:"SPARE,required"`
}

func main() {
	cfg, f := wiring.Boot[settings]()
	results, purges := f.Queue(cfg.Results), f.Queue(cfg.Purges)
	p := &pipeline.Pipeline{
		Catalog: f.Catalog, Store: f.Store, Evidence: f.Bucket(cfg.Bucket),
		Results: results, Purges: purges, Alerts: sns.New(sdksns.NewFromConfig(f.SDK), cfg.Topic),
		Progress: pipeline.Silent{}, Meter: f.Meters, Now: time.Now, LeaseFor: cfg.LeaseFor, Spare: cfg.Spare, TempDir: os.TempDir(),
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: f.Meters, Log: f.Log,
		Sources: []lambdax.Source{
			{Queue: results, Handle: p.Ingest, Dead: f.Queue(cfg.Dead)},
			{Queue: purges, Handle: p.RunPurge, Dead: f.Queue(cfg.DeadPurges)},
		},
	}.Batch)
}
