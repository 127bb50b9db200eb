// Package collect reads log groups, metric filters, resource policies and destinations
// of CloudWatch Logs.
package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
)

// Spec is how CloudWatch Logs is collected: by listings only, since there is no
// end of log groups.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "logs",
		Walks: []collect.Walk{
			{Kinds: []string{logs.LogGroup{}.Kind()}, Operations: []string{"CloudWatch Logs.DescribeLogGroups"}, Run: groups},
			{Kinds: []string{logs.MetricFilter{}.Kind()}, Operations: []string{"CloudWatch Logs.DescribeMetricFilters"}, Run: filters},
			{Kinds: []string{logs.ResourcePolicy{}.Kind()}, Operations: []string{"CloudWatch Logs.DescribeResourcePolicies"}, Run: policies},
			{Kinds: []string{logs.Destination{}.Kind()}, Operations: []string{"CloudWatch Logs.DescribeDestinations"}, Run: destinations},
		},
	}
}

// pageSize is the most that the listings give at once.
const pageSize = 50

func groups(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeLogGroupsPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeLogGroupsInput{Limit: aws.Int32(pageSize)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeLogGroupsOutput) []types.LogGroup { return o.LogGroups },
		func(r *collect.Reading, g types.LogGroup) *logs.LogGroup {
			name := collect.RequiredText("logGroupName", g.LogGroupName)
			return &logs.LogGroup{
				Resource: s.Resource(s.ARN("logs", "log-group:"+name), name),
				Detail: collect.From(r, g, func(g types.LogGroup) logs.Detail {
					return logs.Detail{
						Days:  collect.Count("retentionInDays", g.RetentionInDays),
						Key:   aws.ToString(g.KmsKeyId),
						Class: string(collect.Known("logGroupClass", g.LogGroupClass, append(g.LogGroupClass.Values(), "")...)),
					}
				}),
			}
		})
}

// filters lists the filters of all groups of the region, which have no ARN of
// their own.
func filters(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeMetricFiltersPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeMetricFiltersInput{Limit: aws.Int32(pageSize)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeMetricFiltersOutput) []types.MetricFilter { return o.MetricFilters },
		func(_ *collect.Reading, f types.MetricFilter) *logs.MetricFilter {
			x := &logs.MetricFilter{Resource: s.Resource(s.ARN("logs", "log-group:"+*f.LogGroupName), *f.FilterName)}
			x.Sub = "metric-filter/" + *f.FilterName
			d := logs.FilterDetail{LogGroup: *f.LogGroupName, Pattern: strings.TrimSpace(aws.ToString(f.FilterPattern))}
			for _, t := range f.MetricTransformations {
				d.Metrics = append(d.Metrics, logs.Metric{Namespace: aws.ToString(t.MetricNamespace), Name: aws.ToString(t.MetricName)})
			}
			x.Detail = fact.Known(d)
			return x
		})
}

func policies(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := collect.Listing(client.DescribeResourcePolicies, &sdk.DescribeResourcePoliciesInput{Limit: aws.Int32(pageSize)},
		func(in *sdk.DescribeResourcePoliciesInput, o *sdk.DescribeResourcePoliciesOutput) *string {
			in.NextToken = o.NextToken
			return in.NextToken
		})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeResourcePoliciesOutput) []types.ResourcePolicy { return o.ResourcePolicies },
		func(_ *collect.Reading, p types.ResourcePolicy) *logs.ResourcePolicy {
			name := collect.RequiredText("policyName", p.PolicyName)
			return &logs.ResourcePolicy{
				Resource: s.Resource(s.ARN("logs", "resource-policy/"+name), name),
				Document: fact.Known(s.Policy(aws.ToString(p.PolicyDocument))),
			}
		})
}

func destinations(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeDestinationsPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeDestinationsInput{Limit: aws.Int32(pageSize)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDestinationsOutput) []types.Destination { return o.Destinations },
		func(r *collect.Reading, d types.Destination) *logs.Destination {
			return &logs.Destination{
				Resource: s.Resource(collect.RequiredARN("arn", d.Arn), collect.RequiredText("destinationName", d.DestinationName)),
				Policy:   collect.From(r, d, func(d types.Destination) string { return s.Policy(collect.Optional("accessPolicy", d.AccessPolicy)) }),
			}
		})
}
