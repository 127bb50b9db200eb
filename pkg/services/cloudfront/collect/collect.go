// Package collect reads CloudFront distributions from AWS.
package collect

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront"
)

// Spec is how CloudFront is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "cloudfront",
		Global:  true,
		Walks: []collect.Walk{{
			Kinds: []string{cloudfront.Distribution{}.Kind()},
			Operations: []string{
				"CloudFront.ListDistributions", "CloudFront.GetDistributionConfig",
				"CloudWatch Logs.DescribeDeliveries", "CloudWatch Logs.DescribeDeliverySources",
			},
			Run: distributions,
		}},
	}
}

func distributions(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	delivered := sync.OnceValue(func() fact.Of[[]string] { return deliveries(r, s) })
	pages := sdk.NewListDistributionsPaginator(client, &sdk.ListDistributionsInput{MaxItems: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListDistributionsOutput) []types.DistributionSummary { return o.DistributionList.Items },
		func(r *collect.Reading, found types.DistributionSummary) *cloudfront.Distribution {
			x := &cloudfront.Distribution{Resource: s.Resource(collect.RequiredARN("ARN", found.ARN), aws.ToString(found.Id)), Detail: collect.From(r, found, detail)}
			collect.Into(r, &x.Config, client.GetDistributionConfig, &sdk.GetDistributionConfigInput{Id: found.Id}, config)
			r.Do(func(context.Context) {
				x.Delivery = fact.Map(delivered(), func(arns []string) bool { return slices.Contains(arns, x.ARN) })
			})
			return x
		})
}

func config(o *sdk.GetDistributionConfigOutput) cloudfront.Config {
	c := cloudfront.Config{RootObject: aws.ToString(o.DistributionConfig.DefaultRootObject)}
	if logging := o.DistributionConfig.Logging; logging != nil {
		c.Logging = collect.Required("Logging.Enabled", logging.Enabled)
	}
	return c
}

// deliveries are the ARNs of what CloudWatch delivers the logs of. Those of
// CloudFront are kept in Virginia.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
func deliveries(r *collect.Reading, s *collect.Session) fact.Of[[]string] {
	config := s.Config.Copy()
	if s.Partition == "aws" {
		config.Region = "us-east-1"
	}
	client := cloudwatchlogs.NewFromConfig(config)
	return collect.Ask(r, func(ctx context.Context) ([]string, error) {
		pages := cloudwatchlogs.NewDescribeDeliveriesPaginator(client, &cloudwatchlogs.DescribeDeliveriesInput{Limit: aws.Int32(50)})
		sources, err := collect.Pages(ctx, pages, func(o *cloudwatchlogs.DescribeDeliveriesOutput) []string {
			var names []string
			for _, delivery := range o.Deliveries {
				names = append(names, aws.ToString(delivery.DeliverySourceName))
			}
			return names
		})
		if err != nil {
			return nil, err
		}
		more := cloudwatchlogs.NewDescribeDeliverySourcesPaginator(client, &cloudwatchlogs.DescribeDeliverySourcesInput{Limit: aws.Int32(50)})
		return collect.Pages(ctx, more, func(o *cloudwatchlogs.DescribeDeliverySourcesOutput) []string {
			var arns []string
			for _, source := range o.DeliverySources {
				if slices.Contains(sources, aws.ToString(source.Name)) {
					arns = append(arns, source.ResourceArns...)
				}
			}
			return arns
		})
	})
}
