package collect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail/collect"
)

const (
	mainARN         = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	elsewhereARN    = "arn:aws:cloudtrail:us-east-1:111122223333:trail/elsewhere"
	organizationARN = "arn:aws:cloudtrail:eu-west-1:999988887777:trail/organization"
	logGroup        = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"
	key             = "arn:aws:kms:eu-west-1:111122223333:key/1"
	topic           = "arn:aws:sns:eu-west-1:111122223333:trail"
)

var delivered = time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)

// full is a region with a trail of its own, the shadow of one at home elsewhere,
// and the trail of the organization.
func full(f *fake.Fake) {
	shadow := func(arn, name, home string) types.Trail {
		return types.Trail{
			TrailARN: aws.String(arn), Name: aws.String(name), HomeRegion: aws.String(home), S3BucketName: aws.String("trail"),
			IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true), LogFileValidationEnabled: aws.Bool(true),
			HasCustomEventSelectors: aws.Bool(true), HasInsightSelectors: aws.Bool(false), IsOrganizationTrail: aws.Bool(false),
		}
	}
	own := shadow(mainARN, "main", "eu-west-1")
	own.HasInsightSelectors, own.KmsKeyId, own.SnsTopicARN = aws.Bool(true), aws.String(key), aws.String(topic)
	own.CloudWatchLogsLogGroupArn = aws.String(logGroup)
	organization := shadow(organizationARN, "organization", "eu-west-1")
	organization.IsOrganizationTrail = aws.Bool(true)
	fake.On(f, func(in *sdk.DescribeTrailsInput) (*sdk.DescribeTrailsOutput, error) {
		if !aws.ToBool(in.IncludeShadowTrails) {
			return &sdk.DescribeTrailsOutput{TrailList: []types.Trail{own}}, nil
		}
		return &sdk.DescribeTrailsOutput{TrailList: []types.Trail{own, shadow(elsewhereARN, "elsewhere", "us-east-1"), organization}}, nil
	})
	fake.On(f, func(in *sdk.GetTrailStatusInput) (*sdk.GetTrailStatusOutput, error) {
		if aws.ToString(in.Name) == organizationARN {
			return &sdk.GetTrailStatusOutput{IsLogging: aws.Bool(true)}, nil
		}
		return &sdk.GetTrailStatusOutput{
			IsLogging: aws.Bool(true), LatestDeliveryError: aws.String("AccessDenied"), LatestDeliveryTime: &delivered,
			LatestCloudWatchLogsDeliveryTime: &delivered, LatestCloudWatchLogsDeliveryError: aws.String("AccessDenied"),
		}, nil
	})
	fake.On(f, func(in *sdk.GetEventSelectorsInput) (*sdk.GetEventSelectorsOutput, error) {
		if aws.ToString(in.TrailName) == organizationARN {
			return &sdk.GetEventSelectorsOutput{AdvancedEventSelectors: []types.AdvancedEventSelector{{
				Name: aws.String("Objects"),
				FieldSelectors: []types.AdvancedFieldSelector{
					{Field: aws.String("eventCategory"), Equals: []string{"Data"}},
					{Field: aws.String("resources.ARN"), StartsWith: []string{"arn:aws:s3:::shop/"}, NotStartsWith: []string{"arn:aws:s3:::shop/tmp/"}},
				},
			}}}, nil
		}
		return &sdk.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{{
			ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true), ExcludeManagementEventSources: []string{"kms.amazonaws.com"},
			DataResources: []types.DataResource{
				{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}},
				{Type: aws.String("AWS::Lambda::Function"), Values: []string{"arn:aws:lambda"}},
			},
		}}}, nil
	})
}

func ref(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func want() []check.Resource {
	return []check.Resource{
		cloudtrail.RegionTrails{
			Resource: ref("arn:aws:cloudtrail:eu-west-1:111122223333:region-trails", collecttest.Region),
			Trails: fact.Known([]cloudtrail.Sighting{
				{ARN: mainARN, Home: "eu-west-1", MultiRegion: true},
				{ARN: elsewhereARN, Home: "us-east-1", MultiRegion: true},
				{ARN: organizationARN, Home: "eu-west-1", MultiRegion: true},
			}),
		},
		cloudtrail.Trail{
			Resource: ref(mainARN, "main"),
			Detail: fact.Known(cloudtrail.Detail{
				MultiRegion: true, Validation: true, Insights: true, Bucket: "trail", Key: key, LogGroup: logGroup, Topic: topic,
			}),
			Status: fact.Known(cloudtrail.Status{Logging: true, DeliveryError: "AccessDenied", LogsDelivered: &delivered, LogsError: "AccessDenied"}),
			Selectors: fact.Known(cloudtrail.Selectors{Basic: []cloudtrail.BasicSelector{{
				ReadWrite: "All", Management: true, Without: []string{"kms.amazonaws.com"}, Objects: []string{"arn:aws:s3"},
			}}}),
		},
		cloudtrail.Trail{
			Resource: ref(organizationARN, "organization"),
			Detail:   fact.Known(cloudtrail.Detail{MultiRegion: true, Validation: true, Bucket: "trail"}),
			Status:   fact.Known(cloudtrail.Status{Logging: true}),
			Selectors: fact.Known(cloudtrail.Selectors{Advanced: []cloudtrail.AdvancedSelector{{
				{Field: "eventCategory", Operator: "Equals", Values: []string{"Data"}},
				{Field: "resources.ARN", Operator: "StartsWith", Values: []string{"arn:aws:s3:::shop/"}},
				{Field: "resources.ARN", Operator: "NotStartsWith", Values: []string{"arn:aws:s3:::shop/tmp/"}},
			}}}),
		},
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, want())
}

func TestOwner(t *testing.T) {
	t.Parallel()
	owners := map[string]string{}
	for _, r := range want() {
		if trail, ok := r.(cloudtrail.Trail); ok {
			owners[trail.Name] = trail.Owner()
		}
	}
	if owners["main"] != "111122223333" || owners["organization"] != "999988887777" {
		t.Errorf("owners %v", owners)
	}
}
