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
		check.For("elb-load-balancer-tls-listeners", model.Medium, tlsListeners),
		check.For("elb-load-balancer-tls-policy", model.Medium, tlsPolicy),
		check.For("elb-load-balancer-acm-certificate", model.Low, acmCertificate),
		check.For("elb-load-balancer-access-log", model.Medium, accessLog),
		check.For("elb-load-balancer-desync-mitigation", model.Medium, desyncMitigation),
		check.For("elb-load-balancer-internal", model.Low, internal),
		check.For("elb-load-balancer-multi-az", model.Medium, multiAZ),
		check.For("elb-load-balancer-cross-zone", model.Low, crossZone),
		check.For("elb-load-balancer-connection-draining", model.Low, connectionDraining),
	}
}

func tlsListeners(e *check.Evidence, l LoadBalancer) check.Verdict {
	d := check.Read(e, l.Detail)
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

func acmCertificate(e *check.Evidence, l LoadBalancer) check.Verdict {
	listeners := check.Read(e, l.Detail).TLS()
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

func accessLog(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.AccessLog(check.Read(e, l.Attributes).AccessLog)
}

func desyncMitigation(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.DesyncMitigation(check.Read(e, l.Attributes).DesyncMitigation, l.Region)
}

func internal(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.Internal(check.Read(e, l.Detail).Scheme)
}

func multiAZ(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.MultiAZ(check.Read(e, l.Detail).Zones)
}

func crossZone(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.CrossZone(check.Read(e, l.Attributes).CrossZone, "instances")
}

func connectionDraining(e *check.Evidence, l LoadBalancer) check.Verdict {
	return check.Must(check.Read(e, l.Attributes).ConnectionDraining, "connections are drained", "connections are cut when an instance leaves")
}
