// Command scheduler starts the audits that are due, ends those that took too long,
// and has deleted connections purged, once a minute.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cloudarq/cloudarq/functions/internal/wiring"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
)

type settings struct {
	wiring.Settings
	wiring.Told
	Tasks    string        `env:"TASKS_QUEUE_URL,required"`
	Results  string        `env:"RESULTS_QUEUE_URL,required"`
	Jobs     string        `env:"JOBS_QUEUE_URL,required"`
	Bound    time.Duration `env:"AUDIT_BOUND,required"`
	Evidence int           `env:"EVIDENCE_DAYS,required"`
}

func main() {
	cfg, f := wiring.Boot[settings]()
	p := &pipeline.Pipeline{
		Catalog: f.Catalog, Store: f.Store, Tasks: f.Queue(cfg.Tasks), Results: f.Queue(cfg.Results), Purges: f.Queue(cfg.Jobs), Signings: f.Queue(cfg.Jobs),
		Events: f.Events(cfg.Told, false), Meter: f.Meters, Now: time.Now, Bound: cfg.Bound, KeepDetail: time.Duration(cfg.Evidence) * 24 * time.Hour,
	}
	lambda.Start(lambdax.Clock(p.Tick, f.Meters, f.Log))
}
