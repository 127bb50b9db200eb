package elbv2_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/elbv2"
)

const postQuantum = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

var (
	https    = elbv2.Listener{Port: 443, Protocol: "HTTPS", TLSPolicy: postQuantum}
	redirect = elbv2.Listener{Port: 80, Protocol: "HTTP", Redirect: "HTTPS"}
	plain    = elbv2.Listener{Port: 80, Protocol: "HTTP"}
	tls      = elbv2.Listener{Port: 443, Protocol: "TLS", TLSPolicy: postQuantum}
	tcp      = elbv2.Listener{Port: 443, Protocol: "TCP"}
	udp      = elbv2.Listener{Port: 53, Protocol: "UDP"}
)

// balancer is a load balancer in good order, of a type and with listeners.
func balancer(kind string, listeners ...elbv2.Listener) elbv2.LoadBalancer {
	return elbv2.LoadBalancer{
		Resource:  checktest.Ref("elasticloadbalancing", "loadbalancer/x/1"),
		Detail:    fact.Known(elbv2.Detail{Type: kind, Scheme: "internal", Zones: []string{"eu-west-1a", "eu-west-1b"}}),
		Listeners: fact.Known(listeners), PlainRules: fact.Known[[]elbv2.PlainRule](nil),
		Attributes: fact.Known(elbv2.Attributes{
			DeletionProtection: true, AccessLog: true, CrossZone: true, DropInvalidHeaders: true, DesyncMitigation: "defensive",
		}),
	}
}

// serving is a load balancer that redirects, with rules that do not.
func serving(rules fact.Of[[]elbv2.PlainRule]) elbv2.LoadBalancer {
	l := balancer(elbv2.Application, redirect, https)
	l.PlainRules = rules
	return l
}

// bare is a load balancer of which nothing is switched on.
func bare(kind string, listeners ...elbv2.Listener) elbv2.LoadBalancer {
	l := balancer(kind, listeners...)
	l.Detail = fact.Known(elbv2.Detail{Type: kind, Scheme: "internet-facing", Zones: []string{"eu-west-1a"}})
	l.Attributes = fact.Known(elbv2.Attributes{DesyncMitigation: "monitor"})
	return l
}

func withPolicy(name string) elbv2.LoadBalancer {
	return balancer(elbv2.Application, redirect, elbv2.Listener{Port: 443, Protocol: "HTTPS", TLSPolicy: name})
}

var (
	application = balancer(elbv2.Application, redirect, https)
	network     = balancer(elbv2.Network, tls)
	gateway     = balancer(elbv2.Gateway, elbv2.Listener{})
)

func TestChecks(t *testing.T) {
	t.Parallel()
	table := tlsCases()
	maps.Copy(table, attributeCases())
	checktest.Run(t, elbv2.Service(), table)
}

func tlsCases() checktest.Table {
	return checktest.Table{
		"elbv2-load-balancer-http-redirected": {
			{Name: "redirects", Resource: application, Want: check.Pass},
			{Name: "HTTPS only", Resource: balancer(elbv2.Application, https), Want: check.Pass},
			{Name: "answers", Resource: balancer(elbv2.Application, https, plain), Want: check.Fail},
			{Name: "redirects to HTTP", Resource: balancer(elbv2.Application, elbv2.Listener{Port: 80, Protocol: "HTTP", Redirect: "HTTP"}), Want: check.Fail},
			{Name: "a rule serves a path", Resource: serving(fact.Known([]elbv2.PlainRule{{Port: 80, Priority: "5"}})), Want: check.Fail, Reports: []string{"awslabs/aws-config-rules#204", "cloud-custodian/cloud-custodian#5091"}},
			{Name: "rules denied", Resource: serving(fact.Missing[[]elbv2.PlainRule](fact.Denied, "elasticloadbalancing:DescribeRules")), Want: check.NotAssessed},
			{Name: "no listeners", Resource: balancer(elbv2.Application), Want: check.NotApplicable},
			{Name: "network", Resource: network, Want: check.NotApplicable},
		},
		"elbv2-network-load-balancer-tls": {
			{Name: "TLS", Resource: network, Want: check.Pass},
			{Name: "TLS beside TCP", Resource: balancer(elbv2.Network, tcp, tls), Want: check.Pass},
			{Name: "TCP", Resource: balancer(elbv2.Network, tcp, udp), Want: check.Fail},
			{Name: "UDP", Resource: balancer(elbv2.Network, udp), Want: check.NotApplicable},
			{Name: "application", Resource: application, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-tls-policy": {
			{Name: "recommended", Resource: application, Want: check.Pass},
			{Name: "TLS 1.3 only", Resource: withPolicy("ELBSecurityPolicy-TLS13-1-3-2021-06"), Want: check.Pass},
			{Name: "TLS 1.2 of 2017", Resource: withPolicy("ELBSecurityPolicy-TLS-1-2-2017-01"), Want: check.Pass},
			{Name: "forward secrecy", Resource: withPolicy("ELBSecurityPolicy-FS-1-2-Res-2020-10"), Want: check.Pass},
			{Name: "network", Resource: network, Want: check.Pass},
			{Name: "the default of the API", Resource: withPolicy("ELBSecurityPolicy-2016-08"), Want: check.Fail},
			{Name: "TLS 1.3 down to 1.0", Resource: withPolicy("ELBSecurityPolicy-TLS13-1-0-2021-06"), Want: check.Fail},
			{Name: "TLS 1.1", Resource: withPolicy("ELBSecurityPolicy-TLS-1-1-2017-01"), Want: check.Fail},
			{Name: "forward secrecy down to 1.0", Resource: withPolicy("ELBSecurityPolicy-FS-2018-06"), Want: check.Fail},
			{Name: "no TLS", Resource: balancer(elbv2.Network, tcp), Want: check.NotApplicable},
			{Name: "gateway", Resource: gateway, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-post-quantum-tls": {
			{Name: "offered", Resource: application, Want: check.Pass},
			{Name: "not offered", Resource: withPolicy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06"), Want: check.Fail},
			{Name: "no TLS", Resource: balancer(elbv2.Application, plain), Want: check.NotApplicable},
			{Name: "gateway", Resource: gateway, Want: check.NotApplicable},
		},
	}
}

func attributeCases() checktest.Table {
	bareApplication, bareNetwork, bareGateway := bare(elbv2.Application, plain), bare(elbv2.Network, tls), bare(elbv2.Gateway)
	untold := bareApplication
	untold.Attributes = fact.Known(elbv2.Attributes{})
	return checktest.Table{
		"elbv2-load-balancer-access-log": {
			{Name: "application", Resource: application, Want: check.Pass},
			{Name: "network", Resource: network, Want: check.Pass},
			{Name: "application without", Resource: bareApplication, Want: check.Fail},
			{Name: "network without", Resource: bareNetwork, Want: check.Fail},
			{Name: "network without TLS", Resource: bare(elbv2.Network, tcp), Want: check.NotApplicable},
			{Name: "gateway", Resource: bareGateway, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-drop-invalid-headers": {
			{Name: "dropped", Resource: application, Want: check.Pass},
			{Name: "kept", Resource: bareApplication, Want: check.Fail},
			{Name: "network", Resource: bareNetwork, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-desync-mitigation": {
			{Name: "defensive", Resource: application, Want: check.Pass},
			{Name: "monitor", Resource: bareApplication, Want: check.Fail},
			{Name: "not told", Resource: untold, Want: check.NotAssessed},
			{Name: "network", Resource: bareNetwork, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-internal": {
			{Name: "internal", Resource: application, Want: check.Pass},
			{Name: "internet", Resource: bareNetwork, Want: check.Fail},
			{Name: "gateway", Resource: bareGateway, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-deletion-protection": {
			{Name: "on", Resource: application, Want: check.Pass},
			{Name: "off", Resource: bareGateway, Want: check.Fail},
		},
		"elbv2-load-balancer-multi-az": {
			{Name: "two", Resource: gateway, Want: check.Pass},
			{Name: "one", Resource: bareNetwork, Want: check.Fail},
		},
		"elbv2-load-balancer-cross-zone": {
			{Name: "on", Resource: network, Want: check.Pass},
			{Name: "off", Resource: bareGateway, Want: check.Fail},
			{Name: "application, always on", Resource: application, Want: check.NotApplicable},
		},
		"elbv2-load-balancer-has-listeners": {
			{Name: "has", Resource: gateway, Want: check.Pass},
			{Name: "has none", Resource: balancer(elbv2.Application), Want: check.Fail},
		},
	}
}
