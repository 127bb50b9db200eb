package wire_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/aws/wire"
)

func cloud(t *testing.T, archive string) *wire.Cloud {
	t.Helper()
	answers, err := wire.Parse([]byte(archive))
	if err != nil {
		t.Fatal(err)
	}
	return wire.New(answers)
}

func TestTheMostParametersCount(t *testing.T) {
	t.Parallel()
	client := eks.NewFromConfig(cloud(t, `From a test.
-- ListClusters --
{"clusters": ["first"], "nextToken": "2"}
-- ListClusters NextToken=2 --
{"clusters": ["second"]}
`).Config(t))
	var names []string
	for pages := eks.NewListClustersPaginator(client, nil); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, page.Clusters...)
	}
	if !slices.Equal(names, []string{"first", "second"}) {
		t.Errorf("pages of %q", names)
	}
}

func TestErrorOfAScenario(t *testing.T) {
	t.Parallel()
	scenario := cloud(t, `-- DescribeCluster Name=gone --
HTTP/1.1 404 Not Found
X-Amzn-Errortype: ResourceNotFoundException

{"message": "No cluster found for name: gone."}
`)
	scenario.Incomplete = true
	client := eks.NewFromConfig(scenario.Config(t))
	_, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("gone")})
	if !collect.HasCode(err, "ResourceNotFoundException") {
		t.Errorf("error %v, want ResourceNotFoundException", err)
	}
	if _, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("other")}); err == nil {
		t.Error("a call without an answer succeeded")
	}
}

// Each protocol of AWS puts the code of an error elsewhere.
func TestRefusalsInEachProtocol(t *testing.T) {
	t.Parallel()
	refusing := cloud(t, "")
	refusing.Meddle = func(string, int) error { return fake.Error("AccessDenied") }
	cfg := refusing.Config(t)
	for name, call := range map[string]func(context.Context) error{
		"rest-json": func(ctx context.Context) error { _, err := eks.NewFromConfig(cfg).ListClusters(ctx, nil); return err },
		"json":      func(ctx context.Context) error { _, err := sqs.NewFromConfig(cfg).ListQueues(ctx, nil); return err },
		"query":     func(ctx context.Context) error { _, err := iam.NewFromConfig(cfg).ListUsers(ctx, nil); return err },
		"ec2query":  func(ctx context.Context) error { _, err := ec2.NewFromConfig(cfg).DescribeVpcs(ctx, nil); return err },
		"S3":        func(ctx context.Context) error { _, err := s3.NewFromConfig(cfg).ListBuckets(ctx, nil); return err },
		"rest-xml": func(ctx context.Context) error {
			_, err := route53.NewFromConfig(cfg).ListHostedZones(ctx, nil)
			return err
		},
		"rpc-v2-cbor": func(ctx context.Context) error {
			_, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, nil)
			return err
		},
	} {
		if err := call(t.Context()); !collect.HasCode(err, "AccessDenied") {
			t.Errorf("%s: error %v, want AccessDenied", name, err)
		}
	}
}

func TestCBORIsWrittenAsJSON(t *testing.T) {
	t.Parallel()
	client := cloudwatch.NewFromConfig(cloud(t, `-- DescribeAlarms --
{"MetricAlarms": [{"AlarmName": "cpu", "ActionsEnabled": true, "Threshold": 80.5, "Period": 60, "StateUpdatedTimestamp": "2026-05-01T00:00:00Z", "AlarmActions": ["a"]}]}
`).Config(t))
	out, err := client.DescribeAlarms(t.Context(), nil)
	if err != nil || len(out.MetricAlarms) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	a := out.MetricAlarms[0]
	if got := fmt.Sprintln(*a.AlarmName, *a.ActionsEnabled, *a.Threshold, *a.Period, a.StateUpdatedTimestamp.UTC(), a.AlarmActions); got != "cpu true 80.5 60 2026-05-01 00:00:00 +0000 UTC [a]\n" {
		t.Error(got)
	}
}

func TestMutate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"JSON": {`{"a": {"b": true}, "c": ["x"], "n": 3}`, `
			 null null
			 empty {}
			a null {"a":null,"c":["x"],"n":3}
			a dropped {"c":["x"],"n":3}
			a empty {"a":{},"c":["x"],"n":3}
			a.b null flag {"a":{"b":null},"c":["x"],"n":3}
			a.b dropped flag {"a":{},"c":["x"],"n":3}
			c null {"a":{"b":true},"c":null,"n":3}
			c dropped {"a":{"b":true},"n":3}
			c[] null {"a":{"b":true},"c":[null],"n":3}
			c[] empty {"a":{"b":true},"c":[""],"n":3}
			c[] unknown {"a":{"b":true},"c":["cloudarq-unknown"],"n":3}
			n null {"a":{"b":true},"c":["x"],"n":null}
			n dropped {"a":{"b":true},"c":["x"]}
			n unknown {"a":{"b":true},"c":["x"],"n":-1}`},
		"XML": {`<r xmlns="u"><set><item><n>3</n></item></set><g x:type="User">&amp;</g></r>`, `
			r empty <r xmlns="u"></r>
			r.set dropped <r xmlns="u"><g x:type="User">&amp;</g></r>
			r.set.item empty <r xmlns="u"><set><item></item></set><g x:type="User">&amp;</g></r>
			r.set.item.n dropped <r xmlns="u"><set><item></item></set><g x:type="User">&amp;</g></r>
			r.set.item.n empty <r xmlns="u"><set><item><n></n></item></set><g x:type="User">&amp;</g></r>
			r.set.item.n unknown <r xmlns="u"><set><item><n>-1</n></item></set><g x:type="User">&amp;</g></r>
			r.g dropped <r xmlns="u"><set><item><n>3</n></item></set></r>
			r.g empty <r xmlns="u"><set><item><n>3</n></item></set><g x:type="User"></g></r>
			r.g unknown <r xmlns="u"><set><item><n>3</n></item></set><g x:type="User">cloudarq-unknown</g></r>
			r.g@x:type dropped <r xmlns="u"><set><item><n>3</n></item></set><g>&amp;</g></r>
			r.g@x:type unknown <r xmlns="u"><set><item><n>3</n></item></set><g x:type="cloudarq-unknown">&amp;</g></r>`},
		"a flag in XML": {`<r><on>true</on></r>`, `
			r empty <r></r>
			r.on dropped flag <r></r>
			r.on empty flag <r><on></on></r>
			r.on unknown flag <r><on>cloudarq-unknown</on></r>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			if err := wire.Mutate([]byte(c.body), func(m wire.Mutation) bool {
				flag := map[bool]string{true: " flag"}[m.Flag]
				got = append(got, fmt.Sprintf("%s %s%s %s", m.Path, m.Change, flag, m.Body))
				return true
			}); err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimPrefix(strings.ReplaceAll(c.want, "\t", ""), "\n"), "\n")
			for i := range max(len(want), len(got)) {
				if i >= len(want) || i >= len(got) || want[i] != got[i] {
					t.Fatalf("mutations:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}
