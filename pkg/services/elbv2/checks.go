package elbv2

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/balancerrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("elbv2-load-balancer-http-redirected", model.Medium, of(httpRedirected, Application)),
		check.For("elbv2-network-load-balancer-tls", model.Low, of(networkTLS, Network)),
		check.For("elbv2-load-balancer-tls-policy", model.Medium, of(tlsPolicy, Application, Network)),
		check.For("elbv2-load-balancer-post-quantum-tls", model.Low, of(postQuantum, Application, Network)),
		check.For("elbv2-load-balancer-access-log", model.Medium, of(accessLog, Application, Network)),
		check.For("elbv2-load-balancer-drop-invalid-headers", model.Medium, of(dropInvalidHeaders, Application)),
		check.For("elbv2-load-balancer-desync-mitigation", model.Medium, of(desyncMitigation, Application)),
		check.For("elbv2-load-balancer-internal", model.Low, of(internal, Application, Network)),
		check.For("elbv2-load-balancer-deletion-protection", model.Medium, of(deletionProtection, Application, Network, Gateway)),
		check.For("elbv2-load-balancer-multi-az", model.Medium, of(multiAZ, Application, Network, Gateway)),
		check.For("elbv2-load-balancer-cross-zone", model.Low, of(crossZone, Network, Gateway)),
		check.For("elbv2-load-balancer-has-listeners", model.Low, of(hasListeners, Application, Network, Gateway)),
	}
}

// of is a rule on load balancers of some types.
func of(judge func(*check.Evidence, LoadBalancer) check.Verdict, types ...string) func(*check.Evidence, LoadBalancer) check.Verdict {
	return func(e *check.Evidence, l LoadBalancer) check.Verdict {
		if d := check.Read(e, l.Detail); !slices.Contains(types, d.Type) {
			return check.Inapplicable("the load balancer is of type " + d.Type)
		}
		return judge(e, l)
	}
}

func httpRedirected(e *check.Evidence, l LoadBalancer) check.Verdict {
	listeners := check.Read(e, l.Listeners)
	for _, x := range listeners {
		if x.Protocol == "HTTP" && x.Redirect != "HTTPS" {
			return check.Failed(fmt.Sprintf("port %d speaks HTTP and does not redirect to HTTPS", x.Port))
		}
	}
	if len(listeners) == 0 {
		return check.Inapplicable("there are no listeners")
	}
	for _, rule := range check.Read(e, l.PlainRules) {
		return check.Failed(fmt.Sprintf("port %d redirects to HTTPS, but its rule of priority %s serves over HTTP", rule.Port, rule.Priority))
	}
	return check.Passed("every listener speaks HTTPS or redirects to it, in all of its rules")
}

func networkTLS(e *check.Evidence, l LoadBalancer) check.Verdict {
	tcp := false
	for _, x := range check.Read(e, l.Listeners) {
		if x.TLS() {
			return check.Passed(fmt.Sprintf("port %d ends TLS", x.Port))
		}
		tcp = tcp || x.Protocol == "TCP"
	}
	if !tcp {
		return check.Inapplicable("no listener takes TCP connections")
	}
	return check.Failed("no listener ends TLS")
}

// modern are the beginnings of the names of security policies whose oldest
// protocol is TLS 1.2: AWS names them by it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
var modern = []string{
	"ELBSecurityPolicy-TLS13-1-3-", "ELBSecurityPolicy-TLS13-1-2-",
	"ELBSecurityPolicy-TLS-1-2-", "ELBSecurityPolicy-FS-1-2-",
}

func tlsPolicy(e *check.Evidence, l LoadBalancer) check.Verdict {
	return everyTLS(e, l, func(policy string) bool {
		return slices.ContainsFunc(modern, func(prefix string) bool { return strings.HasPrefix(policy, prefix) })
	}, "accepts TLS older than 1.2", "no listener accepts TLS older than 1.2")
}

func postQuantum(e *check.Evidence, l LoadBalancer) check.Verdict {
	return everyTLS(e, l, func(policy string) bool { return strings.Contains(policy, "-PQ-") },
		"offers no post-quantum key exchange", "every TLS listener offers post-quantum key exchange")
}

// everyTLS wants the policy of each TLS listener to be a good one.
func everyTLS(e *check.Evidence, l LoadBalancer, good func(string) bool, fail, pass string) check.Verdict {
	found := false
	for _, x := range check.Read(e, l.Listeners) {
		if !x.TLS() {
			continue
		}
		if !good(x.TLSPolicy) {
			return check.Failed(fmt.Sprintf("port %d %s, by policy %s", x.Port, fail, x.TLSPolicy))
		}
		found = true
	}
	if !found {
		return check.Inapplicable("no listener speaks TLS")
	}
	return check.Passed(pass)
}

func accessLog(e *check.Evidence, l LoadBalancer) check.Verdict {
	// A Network Load Balancer logs the requests of TLS listeners and no others.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
	if check.Read(e, l.Detail).Type == Network && !slices.ContainsFunc(check.Read(e, l.Listeners), Listener.TLS) {
		return check.Inapplicable("without a TLS listener there is nothing to log")
	}
	return balancerrule.AccessLog(check.Read(e, l.Attributes).AccessLog)
}

func dropInvalidHeaders(e *check.Evidence, l LoadBalancer) check.Verdict {
	return check.Must(check.Read(e, l.Attributes).DropInvalidHeaders, "invalid headers are dropped", "invalid headers reach the targets")
}

func desyncMitigation(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.DesyncMitigation(check.Read(e, l.Attributes).DesyncMitigation, l.Region)
}

func internal(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.Internal(check.Read(e, l.Detail).Scheme)
}

func deletionProtection(e *check.Evidence, l LoadBalancer) check.Verdict {
	return check.Must(check.Read(e, l.Attributes).DeletionProtection, "deletion protection is on", "deletion protection is off")
}

func multiAZ(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.MultiAZ(check.Read(e, l.Detail).Zones)
}

func crossZone(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.CrossZone(check.Read(e, l.Attributes).CrossZone, "targets")
}

func hasListeners(e *check.Evidence, l LoadBalancer) check.Verdict {
	return check.Must(len(check.Read(e, l.Listeners)) > 0, "there are listeners", "there are no listeners")
}
