package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/services/route53"
	"github.com/cloudarq/cloudarq/pkg/services/route53/collect"
)

const group = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/route53/example.com"

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListHostedZonesInput](f,
		&sdk.ListHostedZonesOutput{IsTruncated: true, NextMarker: aws.String("Z2"), MaxItems: aws.Int32(100), HostedZones: []types.HostedZone{
			{Id: aws.String("/hostedzone/Z1"), Name: aws.String("example.com."), CallerReference: aws.String("1"), Config: &types.HostedZoneConfig{PrivateZone: false}},
		}},
		&sdk.ListHostedZonesOutput{MaxItems: aws.Int32(100), HostedZones: []types.HostedZone{
			{
				Id: aws.String("/hostedzone/Z2"), Name: aws.String("inside."), Config: &types.HostedZoneConfig{PrivateZone: true},
				LinkedService: &types.LinkedService{ServicePrincipal: aws.String("servicediscovery.amazonaws.com")},
			},
			{Id: aws.String("/hostedzone/Z3"), Name: aws.String("example.org.")},
		}})
	fake.OnPages[sdk.ListQueryLoggingConfigsInput](f,
		&sdk.ListQueryLoggingConfigsOutput{NextToken: aws.String("2"), QueryLoggingConfigs: []types.QueryLoggingConfig{
			{Id: aws.String("1"), HostedZoneId: aws.String("Z9"), CloudWatchLogsLogGroupArn: aws.String("other")},
		}},
		&sdk.ListQueryLoggingConfigsOutput{QueryLoggingConfigs: []types.QueryLoggingConfig{
			{Id: aws.String("2"), HostedZoneId: aws.String("Z1"), CloudWatchLogsLogGroupArn: aws.String(group)},
		}})
	fake.On(f, func(in *sdk.GetDNSSECInput) (*sdk.GetDNSSECOutput, error) {
		state := "NOT_SIGNING"
		if *in.HostedZoneId == "Z1" {
			state = "SIGNING"
		}
		return &sdk.GetDNSSECOutput{Status: &types.DNSSECStatus{ServeSignature: aws.String(state)}}, nil
	})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), route53.Service())
}

// However many zones there are, their query logs are listed once.
func TestQueryLogsAreListedOnce(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	collecttest.Walk(t, collect.Spec(), cloud)
	if calls := cloud.Calls("Route 53.ListQueryLoggingConfigs"); calls != 2 {
		t.Errorf("%d calls of ListQueryLoggingConfigs, want one per page", calls)
	}
}
