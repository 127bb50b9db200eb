package collect_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/macie2"
	"github.com/aws/aws-sdk-go-v2/service/macie2/types"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/macie/collect"
)

func full(f *fake.Fake) {
	fake.On(f, func(*sdk.GetMacieSessionInput) (*sdk.GetMacieSessionOutput, error) {
		return &sdk.GetMacieSessionOutput{Status: types.MacieStatusEnabled}, nil
	})
	fake.On(f, func(*sdk.GetAutomatedDiscoveryConfigurationInput) (*sdk.GetAutomatedDiscoveryConfigurationOutput, error) {
		return &sdk.GetAutomatedDiscoveryConfigurationOutput{Status: types.AutomatedDiscoveryStatusEnabled}, nil
	})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{macie.RegionSettings{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:macie2:eu-west-1:111122223333:region-settings", Account: collecttest.Account, Region: collecttest.Region, Name: collecttest.Region,
		}},
		Status:    fact.Known("ENABLED"),
		Discovery: fact.Known("ENABLED"),
	}})
}

func TestNotEnabled(t *testing.T) {
	t.Parallel()
	for _, answer := range []smithy.GenericAPIError{
		{Code: "AccessDeniedException", Message: "Macie is not enabled."},
		{Code: "ResourceNotFoundException", Message: "Macie has not been enabled"},
	} {
		f := fake.New()
		fake.On(f, func(*sdk.GetMacieSessionInput) (*sdk.GetMacieSessionOutput, error) { return nil, &answer })
		x := collecttest.Walk(t, collect.Spec(), f).Resources[0].(macie.RegionSettings)
		if status, gap := x.Status.Get(); gap != nil || status != "" {
			t.Errorf("%s: status %q, gap %v; want Macie known not to be enabled", answer.Code, status, gap)
		}
	}
}
