package collect

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// SpecEvery is Spec with another pause between looks at the credential report.
var SpecEvery = spec

// Report is the gap with which reading the credential report ends.
func Report(ctx context.Context, cfg aws.Config, pause time.Duration) *fact.Gap {
	_, err := reports{pause}.get(ctx, sdk.NewFromConfig(cfg))
	if err == nil {
		return nil
	}
	gap := collect.GapOf(err)
	return &gap
}

// Document is a policy as it is kept.
func Document(encoded *string) string { return lister{Session: &collect.Session{}}.document(encoded) }
