// Package collect reads the recorders of AWS Config.
package collect

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/config"
)

// Spec is how Config is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "config",
		Walks: []collect.Walk{{
			Kinds: []string{config.RegionSettings{}.Kind()},
			Operations: []string{
				"Config Service.DescribeConfigurationRecorders", "Config Service.DescribeConfigurationRecorderStatus",
				"Config Service.DescribeDeliveryChannels",
			},
			Run: settings,
		}},
	}
}

// settings reads the customer's own recorder: that is what the operations
// answer with when none is named. The recorders of other services record only
// what those services need.
// https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html
func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	r := collect.NewReading(ctx, s)
	x := config.RegionSettings{Resource: s.Resource(s.ARN("config", "region-settings"), s.Region)}
	collect.Into(r, &x.Recorders, client.DescribeConfigurationRecorders, &sdk.DescribeConfigurationRecordersInput{}, recorders)
	collect.Into(r, &x.Statuses, client.DescribeConfigurationRecorderStatus, &sdk.DescribeConfigurationRecorderStatusInput{}, statuses)
	collect.Into(r, &x.Channels, client.DescribeDeliveryChannels, &sdk.DescribeDeliveryChannelsInput{}, channels)
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(x)
	return nil
}

func recorders(o *sdk.DescribeConfigurationRecordersOutput) []config.Recorder {
	all := make([]config.Recorder, len(o.ConfigurationRecorders))
	for i, r := range collect.RequiredList("ConfigurationRecorders", o.ConfigurationRecorders) {
		all[i] = config.Recorder{Name: aws.ToString(r.Name), Role: collect.RequiredARN("roleARN", r.RoleARN)}
		if g := r.RecordingGroup; g != nil {
			told := func(value bool, name string) bool {
				return collect.RequiredMember(o.ResultMetadata, value, "ConfigurationRecorders", strconv.Itoa(i), "recordingGroup", name)
			}
			all[i].AllSupported, all[i].Global = told(g.AllSupported, "allSupported"), told(g.IncludeGlobalResourceTypes, "includeGlobalResourceTypes")
			all[i].Included = names(g.ResourceTypes)
			if g.ExclusionByResourceTypes != nil {
				all[i].Excluded = names(g.ExclusionByResourceTypes.ResourceTypes)
			}
		}
	}
	return all
}

func names(resourceTypes []types.ResourceType) []string {
	var all []string
	for _, t := range resourceTypes {
		all = append(all, string(t))
	}
	return all
}

func statuses(o *sdk.DescribeConfigurationRecorderStatusOutput) []config.Status {
	all := make([]config.Status, len(o.ConfigurationRecordersStatus))
	for i, s := range collect.RequiredList("ConfigurationRecordersStatus", o.ConfigurationRecordersStatus) {
		recording := collect.RequiredMember(o.ResultMetadata, s.Recording, "ConfigurationRecordersStatus", strconv.Itoa(i), "recording")
		all[i] = config.Status{Name: aws.ToString(s.Name), Recording: recording, Last: string(s.LastStatus), Error: aws.ToString(s.LastErrorCode)}
	}
	return all
}

func channels(o *sdk.DescribeDeliveryChannelsOutput) []config.Channel {
	all := make([]config.Channel, len(o.DeliveryChannels))
	for i, c := range collect.RequiredList("DeliveryChannels", o.DeliveryChannels) {
		all[i] = config.Channel{Bucket: aws.ToString(c.S3BucketName)}
	}
	return all
}
