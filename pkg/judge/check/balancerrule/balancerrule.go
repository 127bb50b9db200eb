// Package balancerrule holds the rules that Classic Load Balancers share with
// their successors. Which facts they are read from is each service's to say.
package balancerrule

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// AccessLog asks that requests are logged.
func AccessLog(on bool) check.Verdict {
	return check.Must(on, "requests are logged", "requests are not logged")
}

// DesyncMitigation asks for a mode in which requests that a proxy and its target
// may understand differently are stopped. Every load balancer for HTTP has a
// mode: none is an answer that was not understood. region is the load balancer's.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
func DesyncMitigation(mode, region string) check.Verdict {
	switch mode {
	case "defensive", "strictest":
		return check.Passed("desync mitigation is " + mode)
	case "":
		return check.Unassessed(fact.Gap{
			Reason: fact.Failed, Operation: "elasticloadbalancing:DescribeLoadBalancerAttributes", Region: region, Detail: "AWS told no desync mitigation mode",
		})
	default:
		return check.Failed("desync mitigation is " + mode + ", which lets ambiguous requests through")
	}
}

// Internal asks that the load balancer does not face the internet.
func Internal(scheme string) check.Verdict {
	return check.Must(scheme == "internal", "the load balancer is internal", "the load balancer faces the internet")
}

// MultiAZ asks for more than one availability zone.
func MultiAZ(zones []string) check.Verdict {
	zones = slices.Compact(slices.Sorted(slices.Values(zones)))
	return check.Must(len(zones) > 1, "the load balancer is in "+check.List(zones), "the load balancer is in one zone only")
}

// CrossZone asks that traffic is spread over the zones; behind names what the
// load balancer sends it to: "targets".
func CrossZone(on bool, behind string) check.Verdict {
	return check.Must(on, "traffic goes to the "+behind+" of every zone", "traffic goes to the "+behind+" of its own zone only")
}
