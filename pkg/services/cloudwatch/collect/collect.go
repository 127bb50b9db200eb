// Package collect reads CloudWatch alarms from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
)

// Spec is how CloudWatch is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "cloudwatch",
		Walks: []collect.Walk{{
			Kinds:      []string{cloudwatch.Alarm{}.Kind()},
			Operations: []string{"CloudWatch.DescribeAlarms"},
			Run:        alarms,
		}},
		CustomEndpoint: customEndpoint,
	}
}

// customEndpoint makes clients speak CloudWatch's older protocol: emulators do
// not know the CBOR that the SDK prefers.
func customEndpoint(_ string, options any) {
	if o, ok := options.(*sdk.Options); ok {
		o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801)
	}
}

func alarms(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeAlarmsPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeAlarmsInput{
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(100),
	})
	r := collect.NewReading(ctx, s)
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeAlarmsOutput) []cloudwatch.Alarm {
			var all []cloudwatch.Alarm
			for _, a := range o.MetricAlarms {
				all = append(all, cloudwatch.Alarm{Resource: s.Resource(collect.RequiredARN("AlarmArn", a.AlarmArn), aws.ToString(a.AlarmName)), Detail: collect.From(r, a, metricAlarm)})
			}
			for _, a := range o.CompositeAlarms {
				all = append(all, cloudwatch.Alarm{Resource: s.Resource(collect.RequiredARN("AlarmArn", a.AlarmArn), aws.ToString(a.AlarmName)), Detail: collect.From(r, a, compositeAlarm)})
			}
			return all
		},
		func(_ *collect.Reading, a cloudwatch.Alarm) *cloudwatch.Alarm { return &a })
}

func metricAlarm(a types.MetricAlarm) cloudwatch.Detail {
	d := cloudwatch.Detail{Enabled: collect.Required("ActionsEnabled", a.ActionsEnabled), Actions: a.AlarmActions, State: string(collect.Known("StateValue", a.StateValue, a.StateValue.Values()...)), Since: a.StateTransitionedTimestamp}
	if a.MetricName != nil {
		d.Metrics = append(d.Metrics, cloudwatch.Metric{Namespace: aws.ToString(a.Namespace), Name: *a.MetricName})
	}
	// An alarm on an expression names its metrics here.
	for _, q := range a.Metrics {
		if q.MetricStat != nil && q.MetricStat.Metric != nil {
			m := q.MetricStat.Metric
			d.Metrics = append(d.Metrics, cloudwatch.Metric{Namespace: aws.ToString(m.Namespace), Name: aws.ToString(m.MetricName)})
		}
	}
	return d
}

func compositeAlarm(a types.CompositeAlarm) cloudwatch.Detail {
	return cloudwatch.Detail{
		Rule: aws.ToString(a.AlarmRule), Enabled: collect.Required("ActionsEnabled", a.ActionsEnabled), Actions: a.AlarmActions,
		State: string(collect.Known("StateValue", a.StateValue, a.StateValue.Values()...)), Since: a.StateTransitionedTimestamp,
	}
}
