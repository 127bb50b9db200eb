package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/config/collect"
)

const role = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

// full has a recorder of each strategy, which AWS would not allow in one region.
func full(f *fake.Fake) {
	fake.On(f, func(*sdk.DescribeConfigurationRecordersInput) (*sdk.DescribeConfigurationRecordersOutput, error) {
		return &sdk.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []types.ConfigurationRecorder{
			{Name: aws.String("all"), RoleARN: aws.String(role), RecordingGroup: &types.RecordingGroup{
				AllSupported: true, IncludeGlobalResourceTypes: true,
				RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes},
			}},
			{Name: aws.String("some"), RoleARN: aws.String(role), RecordingGroup: &types.RecordingGroup{
				ResourceTypes:     []types.ResourceType{types.ResourceTypeBucket},
				RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeInclusionByResourceTypes},
			}},
			{Name: aws.String("most"), RoleARN: aws.String(role), RecordingGroup: &types.RecordingGroup{
				ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeVolume}},
				RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
			}},
		}}, nil
	})
	fake.On(f, func(*sdk.DescribeConfigurationRecorderStatusInput) (*sdk.DescribeConfigurationRecorderStatusOutput, error) {
		return &sdk.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []types.ConfigurationRecorderStatus{{
			Name: aws.String("all"), Recording: true, LastStatus: types.RecorderStatusFailure, LastErrorCode: aws.String("AccessDenied"),
			LastErrorMessage: aws.String("Access denied"),
		}}}, nil
	})
	fake.On(f, func(*sdk.DescribeDeliveryChannelsInput) (*sdk.DescribeDeliveryChannelsOutput, error) {
		return &sdk.DescribeDeliveryChannelsOutput{DeliveryChannels: []types.DeliveryChannel{
			{Name: aws.String("default"), S3BucketName: aws.String("config-111122223333")},
		}}, nil
	})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{config.RegionSettings{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:config:eu-west-1:111122223333:region-settings", Account: collecttest.Account, Region: collecttest.Region, Name: collecttest.Region,
		}},
		Recorders: fact.Known([]config.Recorder{
			{Name: "all", Role: role, AllSupported: true, Global: true},
			{Name: "some", Role: role, Included: []string{"AWS::S3::Bucket"}},
			{Name: "most", Role: role, Excluded: []string{"AWS::EC2::Volume"}},
		}),
		Statuses: fact.Known([]config.Status{{Name: "all", Recording: true, Last: "Failure", Error: "AccessDenied"}}),
		Channels: fact.Known([]config.Channel{{Bucket: "config-111122223333"}}),
	}})
}
