package elbv2

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
		check.For("elbv2-load-balancer-http-redirected", model.Medium, of(Application).Then(httpRedirected)),
		check.For("elbv2-network-load-balancer-tls", model.Low, of(Network).Then(networkTLS)),
		check.For("elbv2-load-balancer-tls-policy", model.Medium, of(Application, Network).Then(tlsPolicy)).With(minimumTLS),
		check.For("elbv2-load-balancer-post-quantum-tls", model.Low, of(Application, Network).Then(postQuantum)),
		check.For("elbv2-load-balancer-access-log", model.Medium, of(Application, Network).Then(accessLog)),
		check.For("elbv2-load-balancer-drop-invalid-headers", model.Medium, of(Application).Then(attributes.Must(
			func(a Attributes) bool { return a.DropInvalidHeaders }, "invalid headers are dropped", "invalid headers reach the targets"))),
		check.For("elbv2-load-balancer-desync-mitigation", model.Medium, of(Application).Then(desyncMitigation)),
		check.For("elbv2-load-balancer-internal", model.Low, of(Application, Network).Asks(
			func(d Detail) check.Verdict { return balancerrule.Internal(d.Scheme) })),
		check.For("elbv2-load-balancer-deletion-protection", model.Medium, of(Application, Network, Gateway).Then(attributes.Must(
			func(a Attributes) bool { return a.DeletionProtection }, "deletion protection is on", "deletion protection is off"))),
		check.For("elbv2-load-balancer-multi-az", model.Medium, of(Application, Network, Gateway).Asks(
			func(d Detail) check.Verdict { return balancerrule.MultiAZ(d.Zones) })),
		check.For("elbv2-load-balancer-cross-zone", model.Low, of(Network, Gateway).Then(attributes.Asks(
			func(a Attributes) check.Verdict { return balancerrule.CrossZone(a.CrossZone, "targets") }))),
		check.For("elbv2-load-balancer-has-listeners", model.Low, of(Application, Network, Gateway).Then(hasListeners)),
	}
}

// of is what rules decide on that ask of load balancers of some types.
func of(types ...string) check.Subject[LoadBalancer, Detail] {
	return check.On(func(l LoadBalancer) fact.Of[Detail] { return l.Detail }, func(d Detail) string {
		if slices.Contains(types, d.Type) {
			return ""
		}
		return "the load balancer is of type " + d.Type
	})
}

var attributes = check.On(func(l LoadBalancer) fact.Of[Attributes] { return l.Attributes })

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

// onlyTLS13 is how policies begin that accept TLS 1.3 alone.
const onlyTLS13 = "ELBSecurityPolicy-TLS13-1-3-"

var minimumTLS = check.NewChoice("versions", "version", "Versions of TLS that listeners may accept", []string{"1.2", "1.3"}, "1.2", "1.3")

func tlsPolicy(e *check.Evidence, l LoadBalancer) check.Verdict {
	least := minimumTLS.Of(e)
	return everyTLS(e, l, func(policy string) bool {
		return slices.ContainsFunc(modern, func(prefix string) bool { return strings.HasPrefix(policy, prefix) }) &&
			(slices.Contains(least, "1.2") || strings.HasPrefix(policy, onlyTLS13))
	}, "accepts older TLS", "no listener accepts older TLS")
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

func desyncMitigation(e *check.Evidence, l LoadBalancer) check.Verdict {
	return balancerrule.DesyncMitigation(check.Read(e, l.Attributes).DesyncMitigation, l.Region)
}

func hasListeners(e *check.Evidence, l LoadBalancer) check.Verdict {
	return check.Must(len(check.Read(e, l.Listeners)) > 0, "there are listeners", "there are no listeners")
}
