// Command api answers HTTP requests, behind API Gateway.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cloudarq/cloudarq/functions/internal/wiring"
	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/console"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
)

type settings struct {
	wiring.Settings
	wiring.Told
	Urgent      string        `env:"URGENT_QUEUE_URL,required"`
	Key         string        `env:"KEY_ARN,required"`
	JobQueue    string        `env:"JOBS_QUEUE_URL,required"`
	Bucket      string        `env:"EVIDENCE_BUCKET,required"`
	CheckerRole string        `env:"CHECKER_ROLE_ARN,required"`
	AuditRole   string        `env:"AUDIT_ROLE_NAME,required"`
	Bound       time.Duration `env:"AUDIT_BOUND,required"`
	Evidence    int           `env:"EVIDENCE_DAYS,required"`
	PurgeAfter  time.Duration `env:"PURGE_AFTER,required"`
	Issuer      string        `env:"TOKEN_ISSUER,required"`
	// PublicURL is where browsers find this, if that is not the host that the gateway says:
	// where another host passes requests on.
	PublicURL    string   `env:"PUBLIC_URL"`
	PrivateHosts []string `env:"SSO_PRIVATE_HOSTS"` // of organizations' providers

	Origins []api.Origin `env:"CORS_ORIGINS"`

	Organizations int           `env:"MAX_ORGANIZATIONS,required"`
	Connections   int           `env:"MAX_CONNECTIONS,required"`
	ScheduleEvery time.Duration `env:"MIN_SCHEDULE,required"`
}

// patience is how long a request waits for an index that is made: well within the 29 seconds
// that API Gateway waits for an answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (2026-11-30)
const patience = 15 * time.Second

// firstIndex is the job that helps where there is more to make than requests can: once for
// an organization, after an upgrade from a release that had no such index.
var firstIndex = model.JobID(fmt.Sprintf("index-v%d", index.Version))

func main() {
	cfg, f := wiring.Boot[settings]()
	keys, bucket := f.Keys(cfg.Key), f.Bucket(cfg.Bucket)
	events := f.Events(cfg.Told, true)
	signOn := sso.SignIn{Client: sso.NewClient(sso.Reach{PrivateHosts: cfg.PrivateHosts})}
	if cfg.PublicURL != "" {
		signOn.Callback = strings.TrimSuffix(cfg.PublicURL, "/") + api.SSOCallback
	}
	jobs := connect.Jobs{Store: f.Store, Queue: f.Queue(cfg.JobQueue), Now: time.Now}
	lists := &index.Keepers{
		Store: f.Store, Blobs: bucket, Now: time.Now, Tags: tags.Source{Store: f.Store, Evidence: bucket}.Of, Patience: patience,
		Behind: func(ctx context.Context, org model.OrganizationID) {
			if _, err := jobs.Begin(ctx, model.Change{}, org, firstIndex, model.JobReindex); err != nil {
				f.Log.WarnContext(ctx, "nobody is asked to make the index of findings", slog.String("org", string(org)), slog.Any("error", err))
			}
		},
	}
	handler := &api.API{
		Store: f.Store, Catalog: f.Catalog, ExternalIDs: connect.ExternalIDs{Store: f.Store, Keys: keys, Now: time.Now},
		AccessKeys: connect.AccessKeys{Store: f.Store, Keys: keys, Now: time.Now}, Jobs: jobs,
		Pipeline: &pipeline.Pipeline{
			Catalog: f.Catalog, Store: f.Store, Urgent: f.Queue(cfg.Urgent), Signings: f.Queue(cfg.JobQueue), Events: events, Index: lists,
			Meter: f.Meters, Now: time.Now, Bound: cfg.Bound, KeepDetail: time.Duration(cfg.Evidence) * 24 * time.Hour, PurgeAfter: cfg.PurgeAfter,
		},
		Events: events, Templates: bucket, Evidence: bucket, Index: lists,
		Now: time.Now, Log: f.Log, CheckerRole: cfg.CheckerRole, AuditRole: cfg.AuditRole, Region: f.SDK.Region, Version: version.String(),
		Operators: true, Pages: console.Over, People: people.Service{Keys: keys, Relying: people.RelyingAt(cfg.PublicURL)},
		SSO: signOn, Origins: cfg.Origins,
		Sessions: people.Sessions{Store: f.Store, Tokens: people.NewAccessTokens(f.Store, keys, cfg.Issuer, time.Now, f.Log), Now: time.Now},
		Caps:     api.Caps{Organizations: cfg.Organizations, Connections: cfg.Connections, ScheduleEvery: cfg.ScheduleEvery},
	}
	lambda.Start(lambdax.HTTP(handler.Handler(), f.Meters, f.Log))
}
