// Package collect reads Application, Network and Gateway Load Balancers from
// AWS.
package collect

import (
	"context"
	"fmt"
	"slices"

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
				"Elastic Load Balancing v2.DescribeLoadBalancerAttributes", "Elastic Load Balancing v2.DescribeRules",
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
			l := &elbv2.LoadBalancer{Resource: s.Resource(collect.RequiredARN("LoadBalancerArn", b.LoadBalancerArn), aws.ToString(b.LoadBalancerName)), Detail: collect.From(r, b, detail)}
			r.Do(func(context.Context) {
				var redirecting []types.Listener
				l.Listeners = collect.Ask(r, func(ctx context.Context) ([]elbv2.Listener, error) {
					pages := sdk.NewDescribeListenersPaginator(client, &sdk.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn, PageSize: aws.Int32(400)})
					return collect.Pages(ctx, pages, func(o *sdk.DescribeListenersOutput) []elbv2.Listener {
						for _, x := range o.Listeners {
							if x.Protocol == types.ProtocolEnumHttp && redirect(x.DefaultActions) == "HTTPS" {
								redirecting = append(redirecting, x)
							}
						}
						return listeners(o, b.Type)
					})
				})
				if gap := l.Listeners.Gap(); gap != nil {
					l.PlainRules = fact.Unknown[[]elbv2.PlainRule](*gap)
					return
				}
				l.PlainRules = collect.Ask(r, func(ctx context.Context) ([]elbv2.PlainRule, error) { return plainRules(ctx, client, redirecting) })
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

// listeners understands each protocol; those of a Gateway Load Balancer have none.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/gateway-listeners.html, 29 November 2026.
func listeners(o *sdk.DescribeListenersOutput, of types.LoadBalancerTypeEnum) []elbv2.Listener {
	var all []elbv2.Listener
	for _, x := range collect.RequiredList("Listeners", o.Listeners) {
		if of != types.LoadBalancerTypeEnumGateway {
			collect.Known("Protocol", x.Protocol, x.Protocol.Values()...)
		}
		all = append(all, elbv2.Listener{
			Port: aws.ToInt32(x.Port), Protocol: string(x.Protocol), TLSPolicy: aws.ToString(x.SslPolicy), Redirect: redirect(x.DefaultActions),
		})
	}
	return all
}

// plainRules are the rules of listeners that forward what they match, although the
// listener sends everybody else to HTTPS.
func plainRules(ctx context.Context, client *sdk.Client, of []types.Listener) ([]elbv2.PlainRule, error) {
	var plain []elbv2.PlainRule
	for _, x := range of {
		pages := sdk.NewDescribeRulesPaginator(client, &sdk.DescribeRulesInput{ListenerArn: x.ListenerArn, PageSize: aws.Int32(400)})
		rules, err := collect.Pages(ctx, pages, func(o *sdk.DescribeRulesOutput) []types.Rule { return collect.RequiredList("Rules", o.Rules) })
		if err != nil {
			return nil, err
		}
		for _, rule := range rules {
			actions := collect.RequiredList("Actions", rule.Actions)
			if slices.ContainsFunc(actions, func(a types.Action) bool {
				return collect.Known("Type", a.Type, a.Type.Values()...) == types.ActionTypeEnumForward
			}) {
				plain = append(plain, elbv2.PlainRule{Port: aws.ToInt32(x.Port), Priority: collect.RequiredText("Priority", rule.Priority)})
			}
		}
	}
	return plain, nil
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
		values[aws.ToString(a.Key)] = collect.Required("Attributes.Value", a.Value)
	}
	const always = "deletion_protection.enabled" // of every type of load balancer
	if _, ok := values[always]; !ok {
		return elbv2.Attributes{}, fmt.Errorf("%w: %s", collect.ErrGarbled, always)
	}
	on := func(key string) bool {
		value, told := values[key]
		return told && collect.Known(key, value, "true", "false") == "true"
	}
	return elbv2.Attributes{
		DeletionProtection: on(always),
		AccessLog:          on("access_logs.s3.enabled"),
		CrossZone:          on("load_balancing.cross_zone.enabled"),
		DropInvalidHeaders: on("routing.http.drop_invalid_header_fields.enabled"),
		DesyncMitigation:   values["routing.http.desync_mitigation_mode"],
	}, nil
}
