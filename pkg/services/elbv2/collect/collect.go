// Package collect reads Application, Network and Gateway Load Balancers from
// AWS.
package collect

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/elbv2"
)

// Spec is how load balancers are collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "elbv2",
		Walks: []collect.Walk{{
			Kinds: []string{elbv2.LoadBalancer{}.Kind()},
			Operations: []string{
				"Elastic Load Balancing v2.DescribeLoadBalancers", "Elastic Load Balancing v2.DescribeListeners",
				"Elastic Load Balancing v2.DescribeLoadBalancerAttributes",
			},
			Run: loadBalancers,
		}},
	}
}

func loadBalancers(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeLoadBalancersPaginator(client, &sdk.DescribeLoadBalancersInput{PageSize: aws.Int32(400)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeLoadBalancersOutput) []types.LoadBalancer { return o.LoadBalancers },
		func(r *collect.Reading, b types.LoadBalancer) *elbv2.LoadBalancer {
			l := &elbv2.LoadBalancer{Resource: s.Resource(*b.LoadBalancerArn, aws.ToString(b.LoadBalancerName)), Detail: fact.Known(detail(b))}
			r.Do(func(context.Context) {
				l.Listeners = collect.Ask(r, func(ctx context.Context) ([]elbv2.Listener, error) {
					pages := sdk.NewDescribeListenersPaginator(client, &sdk.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn, PageSize: aws.Int32(400)})
					return collect.Pages(ctx, pages, listeners)
				})
			})
			l.Attributes = collect.Ask(r, func(ctx context.Context) (elbv2.Attributes, error) {
				o, err := client.DescribeLoadBalancerAttributes(ctx, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: b.LoadBalancerArn})
				if err != nil {
					return elbv2.Attributes{}, err
				}
				return attributes(o.Attributes)
			})
			return l
		})
}

func detail(b types.LoadBalancer) elbv2.Detail {
	d := elbv2.Detail{Type: string(b.Type), Scheme: string(b.Scheme)}
	if b.State != nil {
		d.State = string(b.State.Code)
	}
	for _, zone := range b.AvailabilityZones {
		d.Zones = append(d.Zones, aws.ToString(zone.ZoneName))
	}
	return d
}

func listeners(o *sdk.DescribeListenersOutput) []elbv2.Listener {
	var all []elbv2.Listener
	for _, x := range o.Listeners {
		all = append(all, elbv2.Listener{
			Port: aws.ToInt32(x.Port), Protocol: string(x.Protocol), TLSPolicy: aws.ToString(x.SslPolicy), Redirect: redirect(x.DefaultActions),
		})
	}
	return all
}

func redirect(actions []types.Action) string {
	for _, action := range actions {
		if action.RedirectConfig != nil {
			return aws.ToString(action.RedirectConfig.Protocol)
		}
	}
	return ""
}

func attributes(all []types.LoadBalancerAttribute) (elbv2.Attributes, error) {
	values := map[string]string{}
	for _, a := range all {
		values[aws.ToString(a.Key)] = aws.ToString(a.Value)
	}
	const always = "deletion_protection.enabled" // of every type of load balancer
	if _, ok := values[always]; !ok {
		return elbv2.Attributes{}, fmt.Errorf("%w: %s", collect.ErrGarbled, always)
	}
	return elbv2.Attributes{
		DeletionProtection: values[always] == "true",
		AccessLog:          values["access_logs.s3.enabled"] == "true",
		CrossZone:          values["load_balancing.cross_zone.enabled"] == "true",
		DropInvalidHeaders: values["routing.http.drop_invalid_header_fields.enabled"] == "true",
		DesyncMitigation:   values["routing.http.desync_mitigation_mode"],
	}, nil
}
