package collect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), cloudwatch.Service())
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
