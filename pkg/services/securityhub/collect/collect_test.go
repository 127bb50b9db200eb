package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub/collect"
)

const (
	hub  = "arn:aws:securityhub:eu-west-1:111122223333:hub/default"
	cis  = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
	fsbp = "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0"
)

func full(f *fake.Fake) {
	fake.On(f, func(*sdk.DescribeHubInput) (*sdk.DescribeHubOutput, error) {
		return &sdk.DescribeHubOutput{HubArn: aws.String(hub), SubscribedAt: aws.String("2026-01-13T19:53:46.141Z"), AutoEnableControls: aws.Bool(true)}, nil
	})
	subscription := func(arn string, status types.StandardsStatus) []types.StandardsSubscription {
		return []types.StandardsSubscription{{StandardsArn: aws.String(arn), StandardsStatus: status}}
	}
	fake.OnPages[sdk.GetEnabledStandardsInput](f,
		&sdk.GetEnabledStandardsOutput{StandardsSubscriptions: subscription(cis, types.StandardsStatusDeleting), NextToken: aws.String("2")},
		&sdk.GetEnabledStandardsOutput{StandardsSubscriptions: subscription(fsbp, types.StandardsStatusReady)})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{securityhub.RegionSettings{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:securityhub:eu-west-1:111122223333:region-settings", Account: collecttest.Account,
			Region: collecttest.Region, Name: collecttest.Region,
		}},
		Hub:       fact.Known(hub),
		Standards: fact.Known([]securityhub.Standard{{ARN: cis, Status: "DELETING"}, {ARN: fsbp, Status: "READY"}}),
	}})
}

func TestNotSubscribed(t *testing.T) {
	t.Parallel()
	answer := func(message string) fact.Of[string] {
		f := fake.New()
		fake.On(f, func(*sdk.DescribeHubInput) (*sdk.DescribeHubOutput, error) {
			return nil, &smithy.GenericAPIError{Code: "InvalidAccessException", Message: message}
		})
		fake.Fail[sdk.GetEnabledStandardsInput](f, "InvalidAccessException")
		return collecttest.Walk(t, collect.Spec(), f).Resources[0].(securityhub.RegionSettings).Hub
	}
	if hub, gap := answer("Account 111122223333 is not subscribed to AWS Security Hub").Get(); gap != nil || hub != "" {
		t.Errorf("hub %q, gap %v; want an account known not to be subscribed", hub, gap)
	}
	if _, gap := answer("Account 111122223333 is not an administrator for this organization").Get(); gap == nil {
		t.Error("another refusal was taken for an account without Security Hub")
	}
}
