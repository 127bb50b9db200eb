package main

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/bench/synthetic"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// accounts opens the one account of the bench, and writes every call into the ledger
// as the real client does.
type accounts struct{ account *synthetic.Account }

// Open implements pipeline.Accounts.
func (a accounts) Open(context.Context, model.OrganizationID, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
	return opened(a), nil
}

// Verify implements pipeline.Accounts. What the role allows is read by the service
// of that name; this is about its comparison, which does not grow.
func (a accounts) Verify(_ context.Context, _ model.OrganizationID, audit model.Audit, _ pipeline.Account, _ ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{Permissions: model.Permissions{Principal: a.account.Caller()}, Trust: &model.Trust{TriedAt: audit.StartedAt}}, nil
}

type opened struct{ account *synthetic.Account }

// Identity implements pipeline.Account.
func (o opened) Identity() model.Identity {
	return model.Identity{Account: o.account.ID, Partition: "aws", CallerARN: o.account.Caller(), Entrusted: true}
}

// Regions implements pipeline.Account.
func (o opened) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return slices.Clone(o.account.Regions), []string{"af-south-1"}, nil
}

// HomeRegion implements pipeline.Account.
func (opened) HomeRegion() string { return "us-east-1" }

// Config implements pipeline.Account.
func (o opened) Config(region string, calls ledger.Ledger) aws.Config {
	return o.account.Recorded(region, func(service, operation, region string, took time.Duration) {
		calls.Record(ledger.Entry{
			At: time.Now().UTC(), Service: service, Operation: operation, Region: region, Outcome: "ok", Attempts: 1,
			DurationMS: float64(took.Microseconds()) / 1000, RequestID: requestID,
		})
	})
}

// requestID is as long as AWS's are.
const requestID = "5d8e4c3b-9a2f-4c3b-9a2f-5d8e4c3b9a2f"
