package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront/collect"
)

func arn(id string) string { return "arn:aws:cloudfront::111122223333:distribution/" + id }

func page(marker string, items ...types.DistributionSummary) *sdk.ListDistributionsOutput {
	list := types.DistributionList{Items: items, IsTruncated: aws.Bool(marker != ""), Marker: aws.String(""), MaxItems: aws.Int32(100), Quantity: aws.Int32(int32(len(items)))}
	if marker != "" {
		list.NextMarker = aws.String(marker)
	}
	return &sdk.ListDistributionsOutput{DistributionList: &list}
}

func full(f *fake.Fake) {
	site := types.DistributionSummary{
		ARN: aws.String(arn("E1")), Id: aws.String("E1"), Enabled: aws.Bool(true), WebACLId: aws.String("acl"),
		Aliases: &types.Aliases{Quantity: aws.Int32(1), Items: []string{"www.example.com"}},
		ViewerCertificate: &types.ViewerCertificate{
			CloudFrontDefaultCertificate: aws.Bool(false), MinimumProtocolVersion: types.MinimumProtocolVersionTLSv122021, SSLSupportMethod: types.SSLSupportMethodSniOnly,
		},
		DefaultCacheBehavior: &types.DefaultCacheBehavior{
			ViewerProtocolPolicy: types.ViewerProtocolPolicyRedirectToHttps, RealtimeLogConfigArn: aws.String("arn:aws:cloudfront::111122223333:realtime-log-config/r"),
		},
		CacheBehaviors: &types.CacheBehaviors{Quantity: aws.Int32(1), Items: []types.CacheBehavior{
			{PathPattern: aws.String("/login"), ViewerProtocolPolicy: types.ViewerProtocolPolicyHttpsOnly, FieldLevelEncryptionId: aws.String("C1")},
		}},
		Origins: &types.Origins{Items: []types.Origin{
			{Id: aws.String("files"), DomainName: aws.String("files.s3.amazonaws.com"), OriginAccessControlId: aws.String("O1"), S3OriginConfig: &types.S3OriginConfig{OriginAccessIdentity: aws.String("")}},
			{Id: aws.String("old"), DomainName: aws.String("old.s3.amazonaws.com"), S3OriginConfig: &types.S3OriginConfig{OriginAccessIdentity: aws.String("origin-access-identity/cloudfront/E2")}},
			{Id: aws.String("app"), DomainName: aws.String("app.example.com"), CustomOriginConfig: &types.CustomOriginConfig{
				OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly, OriginSslProtocols: &types.OriginSslProtocols{Items: []types.SslProtocol{types.SslProtocolTLSv12}},
			}},
		}},
		OriginGroups: &types.OriginGroups{Quantity: aws.Int32(1)},
		Restrictions: &types.Restrictions{GeoRestriction: &types.GeoRestriction{RestrictionType: types.GeoRestrictionTypeWhitelist}},
	}
	bare := types.DistributionSummary{
		ARN: aws.String(arn("E2")), Id: aws.String("E2"), Enabled: aws.Bool(true), WebACLId: aws.String(""),
		ViewerCertificate: &types.ViewerCertificate{
			CloudFrontDefaultCertificate: aws.Bool(true), MinimumProtocolVersion: types.MinimumProtocolVersionTLSv1, SSLSupportMethod: types.SSLSupportMethodVip,
		},
		DefaultCacheBehavior: &types.DefaultCacheBehavior{ViewerProtocolPolicy: types.ViewerProtocolPolicyAllowAll},
		Origins:              &types.Origins{Items: []types.Origin{{Id: aws.String("inside"), DomainName: aws.String("inside.example.com"), VpcOriginConfig: &types.VpcOriginConfig{}}}},
	}
	fake.OnPages[sdk.ListDistributionsInput](f, page("E1", site), page("", bare))
	fake.On(f, func(in *sdk.GetDistributionConfigInput) (*sdk.GetDistributionConfigOutput, error) {
		c := types.DistributionConfig{DefaultRootObject: aws.String("")}
		if *in.Id == "E1" {
			c = types.DistributionConfig{DefaultRootObject: aws.String("index.html"), Logging: &types.LoggingConfig{Enabled: aws.Bool(true)}}
		}
		return &sdk.GetDistributionConfigOutput{DistributionConfig: &c}, nil
	})
	fake.OnPages[cloudwatchlogs.DescribeDeliveriesInput](f,
		&cloudwatchlogs.DescribeDeliveriesOutput{NextToken: aws.String("2"), Deliveries: []logs.Delivery{{DeliverySourceName: aws.String("other")}}},
		&cloudwatchlogs.DescribeDeliveriesOutput{Deliveries: []logs.Delivery{{DeliverySourceName: aws.String("site")}}})
	fake.OnRegion(f, func(region string, in *cloudwatchlogs.DescribeDeliverySourcesInput) (*cloudwatchlogs.DescribeDeliverySourcesOutput, error) {
		if region != "us-east-1" {
			return &cloudwatchlogs.DescribeDeliverySourcesOutput{}, nil
		}
		if in.NextToken == nil {
			return &cloudwatchlogs.DescribeDeliverySourcesOutput{NextToken: aws.String("2"), DeliverySources: []logs.DeliverySource{
				{Name: aws.String("site"), ResourceArns: []string{arn("E1")}},
			}}, nil
		}
		// A source without a delivery logs nothing.
		return &cloudwatchlogs.DescribeDeliverySourcesOutput{DeliverySources: []logs.DeliverySource{{Name: aws.String("idle"), ResourceArns: []string{arn("E2")}}}}, nil
	})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	resource := func(id string) model.Resource {
		return model.Resource{Ref: model.Ref{ARN: arn(id), Account: collecttest.Account, Region: model.Global, Name: id}}
	}
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		cloudfront.Distribution{
			Resource: resource("E1"), Config: fact.Known(cloudfront.Config{RootObject: "index.html", Logging: true}), Delivery: fact.Known(true),
			Detail: fact.Known(cloudfront.Detail{
				Enabled: true, Aliases: []string{"www.example.com"}, WebACL: "acl", OriginGroups: 1, GeoRestriction: "whitelist",
				Certificate: cloudfront.Certificate{MinimumTLS: "TLSv1.2_2021", Method: "sni-only"},
				Behaviors: []cloudfront.Behavior{
					{Path: "/login", ViewerProtocol: "https-only", FieldLevelEncryption: true},
					{Path: "*", ViewerProtocol: "redirect-to-https", RealtimeLogs: true},
				},
				Origins: []cloudfront.Origin{
					{ID: "files", Domain: "files.s3.amazonaws.com", S3: true, AccessControl: "O1"},
					{ID: "old", Domain: "old.s3.amazonaws.com", S3: true, AccessIdentity: "origin-access-identity/cloudfront/E2"},
					{ID: "app", Domain: "app.example.com", Protocol: "https-only", SSLProtocols: []string{"TLSv1.2"}},
				},
			}),
		},
		cloudfront.Distribution{
			Resource: resource("E2"), Config: fact.Known(cloudfront.Config{}), Delivery: fact.Known(false),
			Detail: fact.Known(cloudfront.Detail{
				Enabled: true, Certificate: cloudfront.Certificate{Default: true, MinimumTLS: "TLSv1"},
				Behaviors: []cloudfront.Behavior{{Path: "*", ViewerProtocol: "allow-all"}},
				Origins:   []cloudfront.Origin{{ID: "inside", Domain: "inside.example.com"}},
			}),
		},
	})
}
