package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/elb"
	"github.com/cloudarq/cloudarq/pkg/services/elb/collect"
)

const certificateARN = "arn:aws:acm:eu-west-1:111122223333:certificate/1"

func full(f *fake.Fake) {
	fake.OnPages[sdk.DescribeLoadBalancersInput](f,
		&sdk.DescribeLoadBalancersOutput{NextMarker: aws.String("2"), LoadBalancerDescriptions: []types.LoadBalancerDescription{{
			LoadBalancerName: aws.String("web"), Scheme: aws.String("internet-facing"), AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"},
			ListenerDescriptions: []types.ListenerDescription{{
				Listener: &types.Listener{
					LoadBalancerPort: 443, Protocol: aws.String("HTTPS"), InstancePort: aws.Int32(80), InstanceProtocol: aws.String("HTTP"),
					SSLCertificateId: aws.String(certificateARN),
				},
				PolicyNames: []string{"ELBSecurityPolicy-2016-08"},
			}},
		}}},
		&sdk.DescribeLoadBalancersOutput{LoadBalancerDescriptions: []types.LoadBalancerDescription{{
			LoadBalancerName: aws.String("plain"), Scheme: aws.String("internal"), AvailabilityZones: []string{"eu-west-1a"},
			ListenerDescriptions: []types.ListenerDescription{{
				Listener: &types.Listener{LoadBalancerPort: 80, Protocol: aws.String("HTTP"), InstancePort: aws.Int32(80), InstanceProtocol: aws.String("HTTP")},
			}},
		}}})
	fake.On(f, func(in *sdk.DescribeLoadBalancerAttributesInput) (*sdk.DescribeLoadBalancerAttributesOutput, error) {
		on := *in.LoadBalancerName == "web"
		return &sdk.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: &types.LoadBalancerAttributes{
			AccessLog:              &types.AccessLog{Enabled: on},
			ConnectionDraining:     &types.ConnectionDraining{Enabled: on, Timeout: aws.Int32(300)},
			ConnectionSettings:     &types.ConnectionSettings{IdleTimeout: aws.Int32(60)},
			CrossZoneLoadBalancing: &types.CrossZoneLoadBalancing{Enabled: on},
			AdditionalAttributes:   []types.AdditionalAttribute{{Key: aws.String("elb.http.desyncmitigationmode"), Value: aws.String("defensive")}},
		}}, nil
	})
	fake.On(f, func(*sdk.DescribeLoadBalancerPoliciesInput) (*sdk.DescribeLoadBalancerPoliciesOutput, error) {
		return &sdk.DescribeLoadBalancerPoliciesOutput{PolicyDescriptions: []types.PolicyDescription{
			{PolicyName: aws.String("cookies"), PolicyTypeName: aws.String("LBCookieStickinessPolicyType")},
			{
				PolicyName: aws.String("ELBSecurityPolicy-2016-08"), PolicyTypeName: aws.String("SSLNegotiationPolicyType"),
				PolicyAttributeDescriptions: []types.PolicyAttributeDescription{
					attribute("Reference-Security-Policy", "ELBSecurityPolicy-2016-08"),
					attribute("Protocol-TLSv1", "true"), attribute("Protocol-SSLv3", "false"), attribute("Protocol-TLSv1.2", "true"),
					attribute("Server-Defined-Cipher-Order", "true"), attribute("ECDHE-RSA-AES128-SHA", "true"),
				},
			},
		}}, nil
	})
}

func attribute(name, value string) types.PolicyAttributeDescription {
	return types.PolicyAttributeDescription{AttributeName: aws.String(name), AttributeValue: aws.String(value)}
}

func resource(name string) model.Resource {
	return model.Resource{Ref: model.Ref{
		ARN:     "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/" + name,
		Account: collecttest.Account, Region: collecttest.Region, Name: name,
	}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		elb.LoadBalancer{
			Resource: resource("web"),
			Detail: fact.Known(elb.Detail{
				Scheme: "internet-facing", Zones: []string{"eu-west-1a", "eu-west-1b"},
				Listeners: []elb.Listener{{Port: 443, Protocol: "HTTPS", Certificate: certificateARN, Policies: []string{"ELBSecurityPolicy-2016-08"}}},
			}),
			Attributes: fact.Known(elb.Attributes{AccessLog: true, ConnectionDraining: true, CrossZone: true, DesyncMitigation: "defensive"}),
			Policies:   fact.Known([]elb.Policy{{Name: "ELBSecurityPolicy-2016-08", Protocols: []string{"TLSv1", "TLSv1.2"}}}),
		},
		elb.LoadBalancer{
			Resource:   resource("plain"),
			Detail:     fact.Known(elb.Detail{Scheme: "internal", Zones: []string{"eu-west-1a"}, Listeners: []elb.Listener{{Port: 80, Protocol: "HTTP"}}}),
			Attributes: fact.Known(elb.Attributes{DesyncMitigation: "defensive"}),
		},
	})
}
