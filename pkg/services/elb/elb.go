// Package elb knows Elastic Load Balancing's Classic Load Balancers, and what is
// right of them.
package elb

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Classic Load Balancers.
func Service() check.Service {
	return check.Service{
		Name:  "elb",
		Title: "Elastic Load Balancing (Classic)",
		Kinds: []check.Kind{check.KindOf[LoadBalancer]().Stateless("Classic Load Balancers tell no state")},
		Rules: rules(),
		Texts: texts,
	}
}

// LoadBalancer is a Classic Load Balancer.
type LoadBalancer struct {
	model.Resource
	Detail     fact.Of[Detail]     `json:"detail"`
	Attributes fact.Of[Attributes] `json:"attributes"`
	// Policies are the SSL negotiation policies. They are asked only of load
	// balancers with a listener that speaks TLS.
	Policies fact.Of[[]Policy] `json:"policies"`
}

// Kind implements check.Resource.
func (LoadBalancer) Kind() string { return "AWS::ElasticLoadBalancing::LoadBalancer" }

// Detail is what DescribeLoadBalancers tells.
type Detail struct {
	Scheme    string     `json:"scheme"` // internet-facing or internal
	Zones     []string   `json:"zones"`
	Listeners []Listener `json:"listeners"`
}

// TLS is the listeners that speak TLS.
func (d Detail) TLS() []Listener {
	var found []Listener
	for _, l := range d.Listeners {
		if l.Protocol == "HTTPS" || l.Protocol == "SSL" {
			found = append(found, l)
		}
	}
	return found
}

// Listener is a port on which a load balancer takes connections.
type Listener struct {
	Port        int32    `json:"port"`
	Protocol    string   `json:"protocol"`              // HTTP, HTTPS, TCP or SSL
	Certificate string   `json:"certificate,omitempty"` // ARN
	Policies    []string `json:"policies,omitempty"`    // names; of TLS and of cookies
}

// Attributes is what DescribeLoadBalancerAttributes tells.
type Attributes struct {
	AccessLog          bool   `json:"access_log"`
	ConnectionDraining bool   `json:"connection_draining"`
	CrossZone          bool   `json:"cross_zone"`
	DesyncMitigation   string `json:"desync_mitigation"` // monitor, defensive or strictest
}

// Policy is an SSL negotiation policy, predefined or custom.
type Policy struct {
	Name      string   `json:"name"`
	Protocols []string `json:"protocols"` // that it enables: TLSv1, TLSv1.2…
}
