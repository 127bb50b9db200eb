package elb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/balancerrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("elb-load-balancer-tls-listeners", model.Medium, details.Asks(tlsListeners)),
		check.For("elb-load-balancer-tls-policy", model.Medium, tlsPolicy),
		check.For("elb-load-balancer-acm-certificate", model.Low, details.Asks(acmCertificate)),
		check.For("elb-load-balancer-access-log", model.Medium, attributes.Asks(
			func(a Attributes) check.Verdict { return balancerrule.AccessLog(a.AccessLog) })),
		check.For("elb-load-balancer-desync-mitigation", model.Medium, desyncMitigation),
		check.For("elb-load-balancer-internal", model.Low, details.Asks(
			func(d Detail) check.Verdict { return balancerrule.Internal(d.Scheme) })),
		check.For("elb-load-balancer-multi-az", model.Medium, details.Asks(
			func(d Detail) check.Verdict { return balancerrule.MultiAZ(d.Zones) })),
		check.For("elb-load-balancer-cross-zone", model.Low, attributes.Asks(
			func(a Attributes) check.Verdict { return balancerrule.CrossZone(a.CrossZone, "instances") })),
		check.For("elb-load-balancer-connection-draining", model.Low, attributes.Must(
			func(a Attributes) bool { return a.ConnectionDraining }, "connections are drained", "connections are cut when an instance leaves")),
	}
}

var (
	details    = check.On(func(l LoadBalancer) fact.Of[Detail] { return l.Detail })
	attributes = check.On(func(l LoadBalancer) fact.Of[Attributes] { return l.Attributes })
)

func tlsListeners(d Detail) check.Verdict {
	if len(d.Listeners) == 0 {
		return check.Inapplicable("there are no listeners")
	}
	for _, x := range d.Listeners {
		if x.Protocol != "HTTPS" && x.Protocol != "SSL" {
			return check.Failed(fmt.Sprintf("port %d speaks %s", x.Port, x.Protocol))
		}
	}
	return check.Passed("every listener speaks TLS")
}

// outdated are the protocols that no client needs any more.
var outdated = []string{"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"}

func tlsPolicy(e *check.Evidence, l LoadBalancer) check.Verdict {
	listeners := check.Read(e, l.Detail).TLS()
	if len(listeners) == 0 {
		return check.Inapplicable("no listener speaks TLS")
	}
	policies := check.Read(e, l.Policies)
	unknown := int32(0)
	for _, x := range listeners {
		found := false
		for _, p := range policies {
			if !slices.Contains(x.Policies, p.Name) {
				continue
			}
			found = true
			for _, protocol := range p.Protocols {
				if slices.Contains(outdated, protocol) {
					return check.Failed(fmt.Sprintf("port %d accepts %s, by policy %s", x.Port, protocol, p.Name))
				}
			}
		}
		if !found {
			unknown = x.Port
		}
	}
	if unknown != 0 {
		return check.Unassessed(fact.Gap{
			Reason: fact.Failed, Operation: "elasticloadbalancing:DescribeLoadBalancerPolicies", Region: l.Region,
			Detail: fmt.Sprintf("AWS told no TLS policy of port %d", unknown),
		})
	}
	return check.Passed("no listener accepts TLS older than 1.2")
}

func acmCertificate(d Detail) check.Verdict {
	listeners := d.TLS()
	for _, x := range listeners {
		if !strings.Contains(x.Certificate, ":acm:") {
			return check.Failed(fmt.Sprintf("the certificate of port %d is not of ACM: %s", x.Port, x.Certificate))
		}
	}
	if len(listeners) == 0 {
		return check.Inapplicable("no listener speaks TLS")
	}
	return check.Passed("the certificates are of ACM")
}

func desyncMitigation(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.DesyncMitigation(check.Read(e, l.Attributes).DesyncMitigation, l.Region)
}
