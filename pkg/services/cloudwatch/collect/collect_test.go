package collect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch/collect"
)

const topic = "arn:aws:sns:eu-west-1:111122223333:alarms"

var since = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

func arn(name string) *string {
	return aws.String("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:" + name)
}

func full(f *fake.Fake) {
	onMetric := types.MetricAlarm{
		AlarmArn: arn("root"), AlarmName: aws.String("root"), Namespace: aws.String("CIS"), MetricName: aws.String("RootUsage"),
		ActionsEnabled: aws.Bool(true), AlarmActions: []string{topic}, StateValue: types.StateValueOk, StateTransitionedTimestamp: &since,
	}
	onExpression := types.MetricAlarm{
		AlarmArn: arn("rate"), AlarmName: aws.String("rate"), ActionsEnabled: aws.Bool(false), StateValue: types.StateValueInsufficientData,
		Metrics: []types.MetricDataQuery{
			{Id: aws.String("m1"), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("AWS/SQS"), MetricName: aws.String("NumberOfMessagesSent")}}},
			{Id: aws.String("e1"), Expression: aws.String("RATE(m1)")},
		},
	}
	composite := types.CompositeAlarm{
		AlarmArn: arn("all"), AlarmName: aws.String("all"), AlarmRule: aws.String(`ALARM("root") OR ALARM("rate")`),
		ActionsEnabled: aws.Bool(true), AlarmActions: []string{topic}, StateValue: types.StateValueAlarm, StateTransitionedTimestamp: &since,
	}
	fake.OnPages[sdk.DescribeAlarmsInput](f,
		&sdk.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{onMetric, onExpression}, NextToken: aws.String("2")},
		&sdk.DescribeAlarmsOutput{CompositeAlarms: []types.CompositeAlarm{composite}})
}

func alarm(name string, d cloudwatch.Detail) cloudwatch.Alarm {
	return cloudwatch.Alarm{
		Resource: model.Resource{Ref: model.Ref{ARN: *arn(name), Account: collecttest.Account, Region: collecttest.Region, Name: name}},
		Detail:   fact.Known(d),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		alarm("root", cloudwatch.Detail{
			Metrics: []cloudwatch.Metric{{Namespace: "CIS", Name: "RootUsage"}}, Enabled: true, Actions: []string{topic}, State: "OK", Since: &since,
		}),
		alarm("rate", cloudwatch.Detail{
			Metrics: []cloudwatch.Metric{{Namespace: "AWS/SQS", Name: "NumberOfMessagesSent"}}, State: "INSUFFICIENT_DATA",
		}),
		alarm("all", cloudwatch.Detail{
			Rule: `ALARM("root") OR ALARM("rate")`, Enabled: true, Actions: []string{topic}, State: "ALARM", Since: &since,
		}),
	})
}

// TestCustomEndpoint wants a client of an emulator to speak the query protocol.
func TestCustomEndpoint(t *testing.T) {
	t.Parallel()
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), "Action=DescribeAlarms") {
			t.Errorf("body %q (%v), want a query", body, err)
		}
		_, _ = io.WriteString(w, `<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><DescribeAlarmsResult><MetricAlarms>
			<member><AlarmName>root</AlarmName></member></MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>`)
	}))
	defer emulator.Close()
	client := sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: &emulator.URL, Credentials: aws.AnonymousCredentials{}}, func(o *sdk.Options) {
		collect.Spec().CustomEndpoint("CloudWatch", o)
	})
	o, err := client.DescribeAlarms(t.Context(), &sdk.DescribeAlarmsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.MetricAlarms) != 1 || aws.ToString(o.MetricAlarms[0].AlarmName) != "root" {
		t.Errorf("%+v, want alarm root", o.MetricAlarms)
	}
}
