// Package collect reads Classic Load Balancers from AWS.
package collect

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/elb"
)

// Spec is how Classic Load Balancers are collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "elb",
		Walks: []collect.Walk{{
			Kinds: []string{elb.LoadBalancer{}.Kind()},
			Operations: []string{
				"Elastic Load Balancing.DescribeLoadBalancers", "Elastic Load Balancing.DescribeLoadBalancerAttributes",
				"Elastic Load Balancing.DescribeLoadBalancerPolicies",
			},
			Run: loadBalancers,
		}},
	}
}

func loadBalancers(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	pages := sdk.NewDescribeLoadBalancersPaginator(client, &sdk.DescribeLoadBalancersInput{PageSize: aws.Int32(400)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeLoadBalancersOutput) []types.LoadBalancerDescription {
			return o.LoadBalancerDescriptions
		},
		func(r *collect.Reading, b types.LoadBalancerDescription) *elb.LoadBalancer {
			name := collect.RequiredText("LoadBalancerName", b.LoadBalancerName)
			// AWS gives no ARN.
			l := &elb.LoadBalancer{Resource: s.Resource(s.ARN("elasticloadbalancing", "loadbalancer/"+name), name), Detail: collect.From(r, b, detail)}
			if d, gap := l.Detail.Get(); gap == nil && len(d.TLS()) > 0 {
				collect.Into(r, &l.Policies, client.DescribeLoadBalancerPolicies, &sdk.DescribeLoadBalancerPoliciesInput{LoadBalancerName: b.LoadBalancerName},
					func(o *sdk.DescribeLoadBalancerPoliciesOutput) []elb.Policy {
						return policies(collect.RequiredList("PolicyDescriptions", o.PolicyDescriptions))
					})
			}
			l.Attributes = collect.Ask(r, func(ctx context.Context) (elb.Attributes, error) {
				o, err := client.DescribeLoadBalancerAttributes(ctx, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerName: b.LoadBalancerName})
				if err != nil {
					return elb.Attributes{}, err
				}
				return attributes(o)
			})
			return l
		})
}

func detail(b types.LoadBalancerDescription) elb.Detail {
	d := elb.Detail{Scheme: aws.ToString(b.Scheme), Zones: b.AvailabilityZones}
	for _, x := range b.ListenerDescriptions {
		d.Listeners = append(d.Listeners, elb.Listener{
			Port:        x.Listener.LoadBalancerPort,
			Protocol:    strings.ToUpper(collect.RequiredText("Protocol", x.Listener.Protocol)),
			Certificate: aws.ToString(x.Listener.SSLCertificateId),
			Policies:    collect.RequiredList("PolicyNames", x.PolicyNames),
		})
	}
	return d
}

// policies keeps those that say which TLS is spoken, and of these the protocols:
// AWS gives each as an attribute "Protocol-TLSv1.2" with the value "true" or
// "false", of predefined policies as well.
func policies(all []types.PolicyDescription) []elb.Policy {
	var found []elb.Policy
	for _, p := range all {
		if collect.RequiredText("PolicyTypeName", p.PolicyTypeName) != "SSLNegotiationPolicyType" {
			continue
		}
		policy := elb.Policy{Name: collect.RequiredText("PolicyName", p.PolicyName)}
		for _, a := range collect.RequiredList("PolicyAttributeDescriptions", p.PolicyAttributeDescriptions) {
			if protocol, ok := strings.CutPrefix(aws.ToString(a.AttributeName), "Protocol-"); ok && aws.ToString(a.AttributeValue) == "true" {
				policy.Protocols = append(policy.Protocols, protocol)
			}
		}
		found = append(found, policy)
	}
	return found
}

func attributes(o *sdk.DescribeLoadBalancerAttributesOutput) (elb.Attributes, error) {
	a := o.LoadBalancerAttributes
	if a == nil {
		return elb.Attributes{}, fmt.Errorf("%w: LoadBalancerAttributes", collect.ErrGarbled)
	}
	var found elb.Attributes
	if a.AccessLog != nil {
		found.AccessLog = collect.RequiredMember(o.ResultMetadata, a.AccessLog.Enabled, "AccessLog", "Enabled")
	}
	if a.ConnectionDraining != nil {
		found.ConnectionDraining = collect.RequiredMember(o.ResultMetadata, a.ConnectionDraining.Enabled, "ConnectionDraining", "Enabled")
	}
	if a.CrossZoneLoadBalancing != nil {
		found.CrossZone = collect.RequiredMember(o.ResultMetadata, a.CrossZoneLoadBalancing.Enabled, "CrossZoneLoadBalancing", "Enabled")
	}
	for _, more := range a.AdditionalAttributes {
		if aws.ToString(more.Key) == "elb.http.desyncmitigationmode" {
			found.DesyncMitigation = aws.ToString(more.Value)
		}
	}
	return found, nil
}
