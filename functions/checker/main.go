// Command checker does the tasks of audits: it opens an account and plans, or
// collects and judges one service of it. It is the one function that reaches
// into accounts.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cloudarq/cloudarq/functions/internal/wiring"
	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

type settings struct {
	wiring.Settings
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	Tasks       string        `env:"TASKS_QUEUE_URL,required"`
	Dead        string        `env:"TASKS_DEAD_QUEUE_URL,required"`
	Urgent      string        `env:"URGENT_QUEUE_URL,required"`
	UrgentDead  string        `env:"URGENT_DEAD_QUEUE_URL,required"`
	Results     string        `env:"RESULTS_QUEUE_URL,required"`
	Jobs        string        `env:"JOBS_QUEUE_URL,required"`
	Key         string        `env:"KEY_ARN,required"`
	MaxReceives int           `env:"MAX_RECEIVES,required"`
	Spare       time.Duration `env:"TASK_SPARE,required"`
	Bound       time.Duration `env:"AUDIT_BOUND,required"`
	WatchEvery  time.Duration `env:"WATCH_EVERY,required"`
	VerifyEvery time.Duration `env:"VERIFY_EVERY,required"`
	QuotaShare  float64       `env:"QUOTA_SHARE,required"` // percentage of AWS's quotas
}

func main() {
	cfg, f := wiring.Boot[settings]()
	tasks, urgent := f.Queue(cfg.Tasks), f.Queue(cfg.Urgent)
	p := &pipeline.Pipeline{
		Catalog: f.Catalog, Specs: collectors.ByService(), Store: f.Store, Evidence: f.Bucket(cfg.Bucket),
		Tasks: tasks, Urgent: urgent, Results: f.Queue(cfg.Results), Signings: f.Queue(cfg.Jobs),
		Accounts: connect.Accounts{
			Catalog:     f.Catalog,
			ExternalIDs: connect.ExternalIDs{Store: f.Store, Keys: f.Keys(cfg.Key), Now: time.Now},
			VerifyEvery: cfg.VerifyEvery, Now: time.Now,
			Client: client.New(client.Options{Version: version.String(), CustomEndpoint: collectors.CustomEndpoint, QuotaShare: cfg.QuotaShare / 100, Elsewhere: func(host string) {
				f.Log.Warn("calls go to what is not AWS", slog.String("host", host))
			}}),
		},
		Progress: pipeline.Silent{}, Meter: f.Meters, Now: time.Now, Spare: cfg.Spare, ContinueFor: cfg.Bound * 3 / 4, WatchEvery: cfg.WatchEvery,
	}
	lambda.Start(lambdax.Messages{
		Max: cfg.MaxReceives, Meters: f.Meters, Log: f.Log,
		Sources: []lambdax.Source{
			{Queue: tasks, Handle: p.RunTask, Dead: f.Queue(cfg.Dead)},
			{Queue: urgent, Handle: p.RunTask, Dead: f.Queue(cfg.UrgentDead)},
		},
	}.Batch)
}
