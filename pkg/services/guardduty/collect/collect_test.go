package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty/collect"
)

const detector = "12abc34d567e8fa901bc2d34e56789f0"

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListDetectorsInput](f,
		&sdk.ListDetectorsOutput{NextToken: aws.String("2")},
		&sdk.ListDetectorsOutput{DetectorIds: []string{detector}})
	fake.On(f, func(*sdk.GetDetectorInput) (*sdk.GetDetectorOutput, error) {
		return &sdk.GetDetectorOutput{
			Status: types.DetectorStatusEnabled, ServiceRole: aws.String("arn:aws:iam::111122223333:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"),
			Features: []types.DetectorFeatureConfigurationResult{
				{Name: types.DetectorFeatureResultCloudTrail, Status: types.FeatureStatusEnabled},
				{Name: types.DetectorFeatureResultS3DataEvents, Status: types.FeatureStatusDisabled},
			},
		}, nil
	})
	fake.On(f, func(*sdk.GetAdministratorAccountInput) (*sdk.GetAdministratorAccountOutput, error) {
		return &sdk.GetAdministratorAccountOutput{Administrator: &types.Administrator{
			AccountId: aws.String("999988887777"), RelationshipStatus: aws.String("Enabled"),
		}}, nil
	})
	fake.On(f, func(*sdk.ListMembersInput) (*sdk.ListMembersOutput, error) {
		return &sdk.ListMembersOutput{Members: []types.Member{{AccountId: aws.String("444455556666")}}}, nil
	})
}

func region() guardduty.RegionSettings {
	return guardduty.RegionSettings{Resource: model.Resource{Ref: model.Ref{
		ARN: "arn:aws:guardduty:eu-west-1:111122223333:region-settings", Account: collecttest.Account, Region: collecttest.Region, Name: collecttest.Region,
	}}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	want := region()
	want.Detector = fact.Known(guardduty.Detector{ID: detector, Status: "ENABLED", Features: []guardduty.Feature{
		{Name: "CLOUD_TRAIL", Status: "ENABLED"}, {Name: "S3_DATA_EVENTS", Status: "DISABLED"},
	}})
	want.Administrator, want.Members = fact.Known("999988887777"), fact.Known(true)
	collecttest.Run(t, collect.Spec(), full, []check.Resource{want})
}

func TestNoDetector(t *testing.T) {
	t.Parallel()
	f := fake.New()
	fake.On(f, func(*sdk.ListDetectorsInput) (*sdk.ListDetectorsOutput, error) {
		return &sdk.ListDetectorsOutput{}, nil
	})
	x := collecttest.Walk(t, collect.Spec(), f).Resources[0].(guardduty.RegionSettings)
	if d, gap := x.Detector.Get(); gap != nil || d.ID != "" {
		t.Errorf("%+v, gap %v; want a region known to have no detector", d, gap)
	}
}

func TestNoAdministrator(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.On(f, func(*sdk.GetAdministratorAccountInput) (*sdk.GetAdministratorAccountOutput, error) {
		return &sdk.GetAdministratorAccountOutput{}, nil
	})
	x := collecttest.Walk(t, collect.Spec(), f).Resources[0].(guardduty.RegionSettings)
	if a, gap := x.Administrator.Get(); gap != nil || a != "" {
		t.Errorf("administrator %q, gap %v; want none", a, gap)
	}
}
