// Command worker does what takes longer than a request, or needs rights that nobody has
// who takes requests or parses what accounts return: it purges deleted connections, wraps
// data keys anew, signs audits, and hands on what is to be indexed anew.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cloudarq/cloudarq/functions/internal/wiring"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

type settings struct {
	wiring.Settings
	wiring.Told
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Jobs        string        `env:"JOBS_QUEUE_URL,required"`
	Dead        string        `env:"JOBS_DEAD_QUEUE_URL,required"`
	Key         string        `env:"KEY_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	Spare       time.Duration `env:"SPARE,required"`
}

func main() {
	cfg, f := wiring.Boot[settings]()
	jobs, keys, events, bucket := f.Queue(cfg.Jobs), f.Keys(cfg.Key), f.Events(cfg.Told, false), f.Bucket(cfg.Bucket)
	p := &pipeline.Pipeline{
		Catalog: f.Catalog, Store: f.Store, Evidence: bucket, Purges: jobs, Results: f.Queue(cfg.Results), Events: events,
		Index:    &index.Keepers{Store: f.Store, Blobs: bucket, Now: time.Now},
		Signer:   connect.Signing{Store: f.Store, Keys: keys, Now: time.Now},
		Progress: pipeline.Silent{}, Meter: f.Meters, Now: time.Now, Spare: cfg.Spare,
	}
	worker := connect.Worker{
		Jobs:     connect.Jobs{Store: f.Store, Queue: jobs, Now: time.Now},
		Rekeying: connect.Rekeying{Store: f.Store, Keys: keys}, Indexing: p, Events: events, Log: f.Log, Spare: cfg.Spare,
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: f.Meters, Log: f.Log,
		Sources: []lambdax.Source{{Queue: jobs, Dead: f.Queue(cfg.Dead), Handle: worker.Handler(p)}},
	}.Batch)
}
