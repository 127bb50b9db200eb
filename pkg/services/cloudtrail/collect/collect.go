// Package collect reads CloudTrail's trails from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
)

// Spec is how CloudTrail is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "cloudtrail",
		Walks: []collect.Walk{{
			Kinds:      []string{cloudtrail.Trail{}.Kind(), cloudtrail.RegionTrails{}.Kind()},
			Operations: []string{"CloudTrail.DescribeTrails", "CloudTrail.GetTrailStatus", "CloudTrail.GetEventSelectors"},
			Run:        trails,
		}},
	}
}

// trails lists all trails that record the region, shadows of those elsewhere
// included, and reads those that are at home here. So each trail is read once,
// and that of an organization in its member accounts, too.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
func trails(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	o, err := client.DescribeTrails(ctx, &sdk.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return err
	}
	seen := make([]cloudtrail.Sighting, len(o.TrailList))
	var home []types.Trail
	for i, t := range o.TrailList {
		seen[i] = cloudtrail.Sighting{ARN: collect.RequiredARN("TrailARN", t.TrailARN), Home: *t.HomeRegion, MultiRegion: collect.Required("IsMultiRegionTrail", t.IsMultiRegionTrail)}
		if *t.HomeRegion == s.Region {
			home = append(home, t)
		}
	}
	s.Emit(cloudtrail.RegionTrails{Resource: s.Resource(s.ARN("cloudtrail", "region-trails"), s.Region), Trails: fact.Known(seen)})
	return collect.EachOf(ctx, s, home, func(r *collect.Reading, t types.Trail) *cloudtrail.Trail {
		x := &cloudtrail.Trail{Resource: s.Resource(*t.TrailARN, aws.ToString(t.Name)), Detail: collect.From(r, t, detail)}
		// By ARN, since a name is looked for among the account's own trails only.
		collect.Into(r, &x.Status, client.GetTrailStatus, &sdk.GetTrailStatusInput{Name: t.TrailARN}, status)
		collect.Into(r, &x.Selectors, client.GetEventSelectors, &sdk.GetEventSelectorsInput{TrailName: t.TrailARN}, selectors)
		return x
	})
}

func detail(t types.Trail) cloudtrail.Detail {
	return cloudtrail.Detail{
		Validation: collect.Required("LogFileValidationEnabled", t.LogFileValidationEnabled),
		Insights:   collect.Required("HasInsightSelectors", t.HasInsightSelectors),
		Bucket:     aws.ToString(t.S3BucketName),
		Key:        aws.ToString(t.KmsKeyId),
		LogGroup:   aws.ToString(t.CloudWatchLogsLogGroupArn),
		Topic:      aws.ToString(t.SnsTopicARN),
	}
}

func status(o *sdk.GetTrailStatusOutput) cloudtrail.Status {
	return cloudtrail.Status{
		Logging:       *o.IsLogging,
		DeliveryError: aws.ToString(o.LatestDeliveryError),
		LogsDelivered: o.LatestCloudWatchLogsDeliveryTime,
		LogsError:     aws.ToString(o.LatestCloudWatchLogsDeliveryError),
	}
}

func selectors(o *sdk.GetEventSelectorsOutput) cloudtrail.Selectors {
	var s cloudtrail.Selectors
	for _, e := range o.EventSelectors {
		b := cloudtrail.BasicSelector{
			ReadWrite: string(e.ReadWriteType), Management: collect.Required("IncludeManagementEvents", e.IncludeManagementEvents), Without: e.ExcludeManagementEventSources,
		}
		for _, r := range e.DataResources {
			if aws.ToString(r.Type) == "AWS::S3::Object" {
				for _, value := range r.Values {
					b.Objects = append(b.Objects, collect.RequiredARN("DataResources.Values", &value))
				}
			}
		}
		s.Basic = append(s.Basic, b)
	}
	for _, e := range o.AdvancedEventSelectors {
		s.Advanced = append(s.Advanced, advanced(e))
	}
	return s
}

func advanced(e types.AdvancedEventSelector) cloudtrail.AdvancedSelector {
	var a cloudtrail.AdvancedSelector
	for _, f := range e.FieldSelectors {
		for _, c := range []struct {
			operator string
			values   []string
		}{
			{"Equals", f.Equals},
			{"NotEquals", f.NotEquals},
			{"StartsWith", f.StartsWith},
			{"NotStartsWith", f.NotStartsWith},
			{"EndsWith", f.EndsWith},
			{"NotEndsWith", f.NotEndsWith},
		} {
			if len(c.values) > 0 {
				a = append(a, cloudtrail.Condition{Field: aws.ToString(f.Field), Operator: c.operator, Values: c.values})
			}
		}
	}
	return a
}
