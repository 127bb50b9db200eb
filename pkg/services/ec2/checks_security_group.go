package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func securityGroupRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-security-group-no-all-traffic-from-internet", model.Critical, noAllTraffic),
		check.For("ec2-security-group-only-web-from-internet", model.Medium, onlyWeb),
		check.For("ec2-security-group-no-wide-public-range", model.High, noWidePublicRange),
		check.For("ec2-security-group-no-wide-private-range", model.Low, noWidePrivateRange),
		check.For("ec2-security-group-egress-limited", model.Low, egressLimited),
		check.For("ec2-default-security-group-closed", model.High, defaultClosed),
		check.For("ec2-security-group-used", model.Low, groupUsed),
		check.For("ec2-security-group-not-from-launch-wizard", model.Low, notFromWizard),
	}
}

func noAllTraffic(e *check.Evidence, s SecurityGroup) check.Verdict {
	for _, p := range check.Read(e, s.Detail).Ingress {
		if cidr, open := p.fromInternet(both...); open && carriesAll(p.Protocol, p.From, p.To) {
			return check.Failed(describe(p.Protocol, p.From, p.To) + " is let in from " + cidr)
		}
	}
	return check.Passed("no rule lets all traffic in from the internet")
}

// web are the ports that are there for the internet.
var web = []int32{80, 443}

func onlyWeb(e *check.Evidence, s SecurityGroup) check.Verdict {
	for _, p := range check.Read(e, s.Detail).Ingress {
		cidr, open := p.fromInternet(both...)
		if !open || strings.HasPrefix(p.Protocol, "icmp") {
			continue
		}
		// HTTP/3 runs over UDP.
		protocol := protocolOf(p.Protocol)
		fine := (protocol == "tcp" || protocol == "udp") &&
			!allPorts(p.From, p.To) && *p.From == *p.To && slices.Contains(web, *p.From)
		if !fine {
			return check.Failed(describe(p.Protocol, p.From, p.To) + " is open to " + cidr)
		}
	}
	return check.Passed("the internet reaches ports 80 and 443 at most")
}

// wide is the shortest prefix of IPv4 that still names somebody: 65,536
// addresses are more than nearly anyone has.
const wide = 16

func noWidePublicRange(e *check.Evidence, s SecurityGroup) check.Verdict {
	d := check.Read(e, s.Detail)
	for _, p := range slices.Concat(d.Ingress, d.Egress) {
		for _, cidr := range p.IPv4 {
			r, err := netip.ParsePrefix(cidr)
			if err == nil && r.Bits() < wide && !anywhere(cidr) && !internal(cidr) {
				return check.Failed("a rule names " + cidr + ", which belongs to many")
			}
		}
	}
	return check.Passed("no rule names a public range wider than /16")
}

// privateRanges are those of RFC 1918.
var privateRanges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}

// internal reports whether a range lies in private or carrier-grade NAT space.
func internal(cidr string) bool {
	return covers("100.64.0.0/10", cidr) ||
		slices.ContainsFunc(privateRanges, func(r string) bool { return covers(r, cidr) })
}

func noWidePrivateRange(e *check.Evidence, s SecurityGroup) check.Verdict {
	for _, p := range check.Read(e, s.Detail).Ingress {
		for _, cidr := range p.IPv4 {
			if slices.Contains(privateRanges, cidr) {
				return check.Failed(describe(p.Protocol, p.From, p.To) + " is let in from all of " + cidr)
			}
		}
	}
	return check.Passed("no rule lets a whole private range in")
}

func egressLimited(e *check.Evidence, s SecurityGroup) check.Verdict {
	for _, p := range check.Read(e, s.Detail).Egress {
		if cidr, open := p.fromInternet(both...); open && carriesAll(p.Protocol, p.From, p.To) {
			return check.Failed(describe(p.Protocol, p.From, p.To) + " is let out to " + cidr)
		}
	}
	return check.Passed("no rule lets all traffic out to the internet")
}

func defaultClosed(e *check.Evidence, s SecurityGroup) check.Verdict {
	d := check.Read(e, s.Detail)
	if d.Name != "default" {
		return check.Inapplicable("not the default group of a VPC")
	}
	if len(d.Ingress)+len(d.Egress) > 0 {
		return check.Failed(fmt.Sprintf("the default group has %d inbound and %d outbound rules", len(d.Ingress), len(d.Egress)))
	}
	return check.Passed("the default group has no rules")
}

func groupUsed(e *check.Evidence, s SecurityGroup) check.Verdict {
	if check.Read(e, s.Detail).Name == "default" {
		return check.Inapplicable("the default group of a VPC cannot be deleted")
	}
	n := check.Read(e, s.Interfaces)
	return check.Must(n > 0, fmt.Sprintf("%d network interfaces use the group", n), "no network interface uses the group")
}

func notFromWizard(e *check.Evidence, s SecurityGroup) check.Verdict {
	name := check.Read(e, s.Detail).Name
	return check.Must(!strings.HasPrefix(name, "launch-wizard-"),
		"the group was not made by the launch wizard", "the group is named "+name+" by the launch wizard")
}
