package elb_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/elb"
)

var https = elb.Listener{
	Port: 443, Protocol: "HTTPS", Certificate: "arn:aws:acm:eu-west-1:111122223333:certificate/1", Policies: []string{"cookies", "modern"},
}

// balancer is a load balancer in good order, changed as a case needs.
func balancer(change func(*elb.Detail, *elb.Attributes)) elb.LoadBalancer {
	d := elb.Detail{Scheme: "internal", Zones: []string{"eu-west-1a", "eu-west-1b"}, Listeners: []elb.Listener{https}}
	a := elb.Attributes{AccessLog: true, ConnectionDraining: true, CrossZone: true, DesyncMitigation: "defensive"}
	if change != nil {
		change(&d, &a)
	}
	l := elb.LoadBalancer{Resource: checktest.Ref("elasticloadbalancing", "loadbalancer/web"), Detail: fact.Known(d), Attributes: fact.Known(a)}
	if len(d.TLS()) > 0 {
		l.Policies = fact.Known([]elb.Policy{
			{Name: "modern", Protocols: []string{"TLSv1.2"}},
			{Name: "ELBSecurityPolicy-2016-08", Protocols: []string{"TLSv1", "TLSv1.1", "TLSv1.2"}},
		})
	}
	return l
}

func listeners(all ...elb.Listener) elb.LoadBalancer {
	return balancer(func(d *elb.Detail, _ *elb.Attributes) { d.Listeners = all })
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := balancer(nil)
	bare := balancer(func(d *elb.Detail, a *elb.Attributes) {
		d.Scheme, d.Zones, *a = "internet-facing", []string{"eu-west-1a"}, elb.Attributes{DesyncMitigation: "monitor"}
	})
	plain := elb.Listener{Port: 80, Protocol: "HTTP"}
	old := elb.Listener{Port: 8443, Protocol: "SSL", Certificate: "arn:aws:iam::111122223333:server-certificate/old", Policies: []string{"ELBSecurityPolicy-2016-08"}}
	policiesDenied := balancer(nil)
	policiesDenied.Policies = fact.Missing[[]elb.Policy](fact.Denied, "elasticloadbalancing:DescribeLoadBalancerPolicies")

	checktest.Run(t, elb.Service(), checktest.Table{
		"elb-load-balancer-tls-listeners": {
			{Name: "HTTPS", Resource: good, Want: check.Pass},
			{Name: "SSL", Resource: listeners(old), Want: check.Pass},
			{Name: "HTTP too", Resource: listeners(https, plain), Want: check.Fail},
			{Name: "no listeners", Resource: listeners(), Want: check.NotApplicable},
		},
		"elb-load-balancer-tls-policy": {
			{Name: "TLS 1.2", Resource: good, Want: check.Pass},
			{Name: "one with TLS 1.0", Resource: listeners(https, old), Want: check.Fail},
			{Name: "no TLS", Resource: listeners(plain), Want: check.NotApplicable},
			{Name: "policies denied", Resource: policiesDenied, Want: check.NotAssessed},
		},
		"elb-load-balancer-acm-certificate": {
			{Name: "ACM", Resource: good, Want: check.Pass},
			{Name: "one of IAM", Resource: listeners(https, old), Want: check.Fail},
			{Name: "no TLS", Resource: listeners(plain), Want: check.NotApplicable},
		},
		"elb-load-balancer-access-log": onAndOff(good, bare),
		"elb-load-balancer-desync-mitigation": append(onAndOff(good, bare),
			checktest.Case{Name: "not told", Resource: balancer(func(_ *elb.Detail, a *elb.Attributes) { a.DesyncMitigation = "" }), Want: check.NotAssessed}),
		"elb-load-balancer-internal":            onAndOff(good, bare),
		"elb-load-balancer-multi-az":            onAndOff(good, bare),
		"elb-load-balancer-cross-zone":          onAndOff(good, bare),
		"elb-load-balancer-connection-draining": onAndOff(good, bare),
	})
}

// onAndOff are the cases of a rule on one setting: switched on, and not.
func onAndOff(good, bare elb.LoadBalancer) []checktest.Case {
	return []checktest.Case{
		{Name: "in good order", Resource: good, Want: check.Pass},
		{Name: "bare", Resource: bare, Want: check.Fail},
	}
}
