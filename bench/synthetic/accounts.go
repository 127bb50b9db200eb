package synthetic

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Accounts opens one account for a pipeline, whatever connection is asked for, and writes
// every call into the ledger as the real client does.
type Accounts struct {
	Account *Account
	Now     func() time.Time
}

// Open implements pipeline.Accounts.
func (a Accounts) Open(context.Context, model.OrganizationID, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
	return opened(a), nil
}

// Verify implements pipeline.Accounts. What the role allows is read by the service
// of that name; this is about its comparison, which does not grow.
func (a Accounts) Verify(_ context.Context, _ model.OrganizationID, audit model.Audit, _ pipeline.Account, _ ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{Permissions: model.Permissions{Principal: a.Account.Caller()}, Trust: &model.Trust{TriedAt: audit.StartedAt}}, nil
}

type opened Accounts

// Identity implements pipeline.Account.
func (o opened) Identity() model.Identity {
	return model.Identity{Account: o.Account.ID, Partition: "aws", CallerARN: o.Account.Caller(), Entrusted: true}
}

// Regions implements pipeline.Account.
func (o opened) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return slices.Clone(o.Account.Regions), []string{"af-south-1"}, nil
}

// HomeRegion implements pipeline.Account.
func (opened) HomeRegion() string { return "us-east-1" }

// Config implements pipeline.Account.
func (o opened) Config(region string, calls ledger.Ledger) aws.Config {
	return o.Account.Recorded(region, func(service, operation, region string, took time.Duration) {
		calls.Record(ledger.Entry{
			At: o.Now().UTC(), Service: service, Operation: operation, Region: region, Outcome: "ok", Attempts: 1,
			DurationMS: float64(took.Microseconds()) / 1000, RequestID: requestID,
		})
	})
}

// requestID is as long as AWS's are.
const requestID = "5d8e4c3b-9a2f-4c3b-9a2f-5d8e4c3b9a2f"
