package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/elbv2"
	"github.com/cloudarq/cloudarq/pkg/services/elbv2/collect"
)

const (
	webARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
	gwARN  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/gwy/inspect/ff1d9a9b8f1b2f0c"
)

// attributes are those of an Application and of a Gateway Load Balancer, which
// has few.
var attributes = map[string]map[string]string{
	webARN: {
		"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "",
		"idle_timeout.timeout_seconds": "60", "deletion_protection.enabled": "true", "load_balancing.cross_zone.enabled": "true",
		"routing.http2.enabled": "true", "routing.http.drop_invalid_header_fields.enabled": "true",
		"routing.http.desync_mitigation_mode": "defensive", "waf.fail_open.enabled": "false",
	},
	gwARN: {"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"},
}

func full(f *fake.Fake) {
	fake.OnPages[sdk.DescribeLoadBalancersInput](f,
		&sdk.DescribeLoadBalancersOutput{NextMarker: aws.String("2"), LoadBalancers: []types.LoadBalancer{{
			State: &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive}, LoadBalancerArn: aws.String(webARN), LoadBalancerName: aws.String("web"),
			Type: types.LoadBalancerTypeEnumApplication, Scheme: types.LoadBalancerSchemeEnumInternetFacing,
			AvailabilityZones: []types.AvailabilityZone{{ZoneName: aws.String("eu-west-1a")}, {ZoneName: aws.String("eu-west-1b")}},
		}}},
		&sdk.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{{
			LoadBalancerArn: aws.String(gwARN), LoadBalancerName: aws.String("inspect"), Type: types.LoadBalancerTypeEnumGateway,
			AvailabilityZones: []types.AvailabilityZone{{ZoneName: aws.String("eu-west-1a")}},
		}}})
	fake.On(f, listeners)
	fake.On(f, func(in *sdk.DescribeLoadBalancerAttributesInput) (*sdk.DescribeLoadBalancerAttributesOutput, error) {
		o := &sdk.DescribeLoadBalancerAttributesOutput{}
		for key, value := range attributes[*in.LoadBalancerArn] {
			o.Attributes = append(o.Attributes, types.LoadBalancerAttribute{Key: aws.String(key), Value: aws.String(value)})
		}
		return o, nil
	})
}

func listeners(in *sdk.DescribeListenersInput) (*sdk.DescribeListenersOutput, error) {
	group := types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String("arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/1")}
	switch {
	case *in.LoadBalancerArn == gwARN:
		return &sdk.DescribeListenersOutput{Listeners: []types.Listener{{DefaultActions: []types.Action{group}}}}, nil
	case in.Marker == nil:
		return &sdk.DescribeListenersOutput{NextMarker: aws.String("2"), Listeners: []types.Listener{{
			Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
			DefaultActions: []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
				Protocol: aws.String("HTTPS"), Port: aws.String("443"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
			}}},
		}}}, nil
	default:
		return &sdk.DescribeListenersOutput{Listeners: []types.Listener{{
			Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps, SslPolicy: aws.String("ELBSecurityPolicy-2016-08"), DefaultActions: []types.Action{group},
		}}}, nil
	}
}

func resource(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		elbv2.LoadBalancer{
			Resource: resource(webARN, "web"),
			Detail:   fact.Known(elbv2.Detail{State: "active", Type: "application", Scheme: "internet-facing", Zones: []string{"eu-west-1a", "eu-west-1b"}}),
			Listeners: fact.Known([]elbv2.Listener{
				{Port: 80, Protocol: "HTTP", Redirect: "HTTPS"},
				{Port: 443, Protocol: "HTTPS", TLSPolicy: "ELBSecurityPolicy-2016-08"},
			}),
			Attributes: fact.Known(elbv2.Attributes{
				DeletionProtection: true, AccessLog: true, CrossZone: true, DropInvalidHeaders: true, DesyncMitigation: "defensive",
			}),
		},
		elbv2.LoadBalancer{
			Resource:   resource(gwARN, "inspect"),
			Detail:     fact.Known(elbv2.Detail{Type: "gateway", Zones: []string{"eu-west-1a"}}),
			Listeners:  fact.Known([]elbv2.Listener{{}}),
			Attributes: fact.Known(elbv2.Attributes{}),
		},
	})
}
