package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/logs/collect"
)

const (
	prefix   = "arn:aws:logs:eu-west-1:111122223333:"
	key      = "arn:aws:kms:eu-west-1:111122223333:key/1"
	document = `{"Version":"2012-10-17","Statement":[]}`
	pattern  = `{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }`
)

func full(f *fake.Fake) {
	group := func(name string) types.LogGroup {
		return types.LogGroup{
			LogGroupName: aws.String(name), Arn: aws.String(prefix + "log-group:" + name + ":*"), LogGroupArn: aws.String(prefix + "log-group:" + name),
			LogGroupClass: types.LogGroupClassStandard, CreationTime: aws.Int64(1767225600000), StoredBytes: aws.Int64(0), MetricFilterCount: aws.Int32(0),
		}
	}
	kept := group("cloudtrail")
	kept.RetentionInDays, kept.KmsKeyId = aws.Int32(365), aws.String(key)
	fake.OnPages[sdk.DescribeLogGroupsInput](f,
		&sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{kept}, NextToken: aws.String("2")},
		&sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{group("/app/shop")}})

	filter := func(group, name, pattern string) []types.MetricFilter {
		return []types.MetricFilter{{
			FilterName: aws.String(name), LogGroupName: aws.String(group), FilterPattern: aws.String(pattern),
			MetricTransformations: []types.MetricTransformation{{MetricName: aws.String(name), MetricNamespace: aws.String("CIS"), MetricValue: aws.String("1")}},
		}}
	}
	fake.OnPages[sdk.DescribeMetricFiltersInput](f,
		&sdk.DescribeMetricFiltersOutput{MetricFilters: filter("cloudtrail", "failures", pattern), NextToken: aws.String("2")},
		&sdk.DescribeMetricFiltersOutput{MetricFilters: filter("/app/shop", "failures", "")})

	policy := func(name string) []types.ResourcePolicy {
		return []types.ResourcePolicy{{PolicyName: aws.String(name), PolicyDocument: aws.String(document)}}
	}
	fake.OnPages[sdk.DescribeResourcePoliciesInput](f,
		&sdk.DescribeResourcePoliciesOutput{ResourcePolicies: policy("route53"), NextToken: aws.String("2")},
		&sdk.DescribeResourcePoliciesOutput{ResourcePolicies: policy("opensearch")})
}

func ref(arn, sub, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: prefix + arn, Sub: sub, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	filter := func(group, pattern string) logs.MetricFilter {
		return logs.MetricFilter{Resource: ref("log-group:"+group, "metric-filter/failures", "failures"), Detail: fact.Known(logs.FilterDetail{
			LogGroup: group, Pattern: pattern, Metrics: []logs.Metric{{Namespace: "CIS", Name: "failures"}},
		})}
	}
	policy := func(name string) logs.ResourcePolicy {
		return logs.ResourcePolicy{Resource: ref("resource-policy/"+name, "", name), Document: fact.Known(document)}
	}
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		logs.LogGroup{Resource: ref("log-group:cloudtrail", "", "cloudtrail"), Detail: fact.Known(logs.Detail{Days: 365, Key: key, Class: "STANDARD"})},
		logs.LogGroup{Resource: ref("log-group:/app/shop", "", "/app/shop"), Detail: fact.Known(logs.Detail{Class: "STANDARD"})},
		filter("cloudtrail", pattern), filter("/app/shop", ""),
		policy("route53"), policy("opensearch"),
	})
}
