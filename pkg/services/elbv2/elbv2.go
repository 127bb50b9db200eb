// Package elbv2 knows Elastic Load Balancing's Application, Network and Gateway
// Load Balancers, and what is right of them.
package elbv2

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of load balancers.
func Service() check.Service {
	return check.Service{
		Name:  "elbv2",
		Title: "Elastic Load Balancing",
		Kinds: []check.Kind{check.KindOf[LoadBalancer]()},
		Rules: rules(),
		Texts: texts,
	}
}

// LoadBalancer is an Application, Network or Gateway Load Balancer.
type LoadBalancer struct {
	model.Resource
	Detail     fact.Of[Detail]     `json:"detail"`
	Listeners  fact.Of[[]Listener] `json:"listeners"`
	Attributes fact.Of[Attributes] `json:"attributes"`
	// PlainRules are those of listeners that speak HTTP and redirect to HTTPS by default.
	PlainRules fact.Of[[]PlainRule] `json:"plain_rules"`
}

// Kind implements check.Resource.
func (LoadBalancer) Kind() string { return "AWS::ElasticLoadBalancingV2::LoadBalancer" }

// The types of load balancers.
const (
	Application = "application"
	Network     = "network"
	Gateway     = "gateway"
)

// Detail is what DescribeLoadBalancers tells.
type Detail struct {
	State  string   `json:"state"` // AWS's word
	Type   string   `json:"type"`
	Scheme string   `json:"scheme,omitempty"` // internet-facing or internal; empty for gateways
	Zones  []string `json:"zones"`
}

// Listener is a port on which a load balancer takes connections.
type Listener struct {
	Port     int32  `json:"port,omitempty"` // 0 for gateways
	Protocol string `json:"protocol,omitempty"`
	// TLSPolicy is the name of the security policy of HTTPS and TLS.
	TLSPolicy string `json:"tls_policy,omitempty"`
	// Redirect is the protocol to which the default action sends every client;
	// empty when it does something else.
	Redirect string `json:"redirect,omitempty"`
}

// PlainRule is a rule of a listener that serves what it matches over HTTP.
type PlainRule struct {
	Port     int32  `json:"port"`
	Priority string `json:"priority"`
}

// TLS reports whether the listener speaks TLS.
func (l Listener) TLS() bool { return l.Protocol == "HTTPS" || l.Protocol == "TLS" }

// Attributes is what DescribeLoadBalancerAttributes tells. What a type of load
// balancer does not have is empty.
type Attributes struct {
	DeletionProtection bool   `json:"deletion_protection"`
	AccessLog          bool   `json:"access_log"`
	CrossZone          bool   `json:"cross_zone"`
	DropInvalidHeaders bool   `json:"drop_invalid_headers"`
	DesyncMitigation   string `json:"desync_mitigation,omitempty"` // monitor, defensive or strictest
}
