package ec2

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func securityGroupRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-security-group-no-all-traffic-from-internet", model.Critical, noAllTraffic),
		check.For("ec2-security-group-only-web-from-internet", model.Medium, onlyWeb).With(webPorts).CausedBy("ec2-security-group-no-all-traffic-from-internet"),
		check.For("ec2-security-group-no-wide-public-range", model.High, noWidePublicRange),
		check.For("ec2-security-group-no-wide-private-range", model.Low, noWidePrivateRange),
		check.For("ec2-security-group-egress-limited", model.Low, egressLimited).OnlyIfAsked("AWS lets every new group's traffic out, and few networks limit it"),
		check.For("ec2-default-security-group-closed", model.High, defaultClosed),
		check.For("ec2-security-group-not-from-launch-wizard", model.Low, notFromWizard),
	}
}

func noAllTraffic(e *check.Evidence, s SecurityGroup) check.Verdict {
	return noneOfAll(check.Read(e, s.Detail).Ingress, "let in from", listsOf(e, s))
}

func egressLimited(e *check.Evidence, s SecurityGroup) check.Verdict {
	return noneOfAll(check.Read(e, s.Detail).Egress, "let out to", listsOf(e, s))
}

// noneOfAll asks that permissions do not carry all traffic of the internet, or all
// ports of TCP or UDP, alone or together.
func noneOfAll(all []Permission, way string, behind lists) check.Verdict {
	for _, protocol := range []string{"-1", "tcp", "udp"} {
		carries := func(p Permission) bool { return protocolOf(p.Protocol) == "-1" || protocolOf(p.Protocol) == protocol }
		whole := reachOf(all, func(p Permission) bool { return carries(p) && carriesAll(p.Protocol, p.From, p.To) }, internet.Both...)
		if from, open := whole.open(behind); open {
			return check.Failed(describe(protocol, nil, nil) + " is " + way + " " + from)
		}
		var parts []Permission
		for _, p := range all {
			if !carries(p) || protocol == "-1" {
				continue
			}
			if _, open := reachOf([]Permission{p}, carries, internet.Both...).open(behind); open {
				parts = append(parts, p)
			}
		}
		if len(parts) > 1 && everyPort(parts) {
			return check.Failed(fmt.Sprintf("%s is %s the internet by %d rules together", describe(protocol, nil, nil), way, len(parts)))
		}
	}
	return check.Passed("no rule carries all traffic of the internet")
}

var webPorts = check.NewWords("ports", "port", "Ports that the internet may reach", `[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]`, "80", "443")

// onlyWeb looks at each protocol, and of TCP and UDP at each port at which a rule
// begins: what rules open together is opened at one of those, too.
func onlyWeb(e *check.Evidence, s SecurityGroup) check.Verdict {
	all, ports := check.Read(e, s.Detail).Ingress, webPorts.Of(e)
	for _, at := range all {
		protocol := protocolOf(at.Protocol)
		if strings.HasPrefix(protocol, "icmp") {
			continue
		}
		ported := (protocol == "tcp" || protocol == "udp") && !allPorts(at.From, at.To)
		// HTTP/3 runs over UDP.
		if ported && *at.From == *at.To && slices.Contains(ports, strconv.Itoa(int(*at.From))) {
			continue
		}
		r := reachOf(all, func(p Permission) bool {
			switch {
			case protocolOf(p.Protocol) != protocol && p.Protocol != "-1":
				return false
			case !ported:
				return protocol == "-1" || p.Protocol == "-1" || allPorts(p.From, p.To) || protocol != "tcp" && protocol != "udp"
			default:
				return within(*at.From, p.From, p.To) || within(*at.To, p.From, p.To)
			}
		}, internet.Both...)
		if from, open := r.open(listsOf(e, s)); open {
			return check.Failed(describe(at.Protocol, at.From, at.To) + " is open to " + from)
		}
	}
	return check.Passed("the internet reaches no other port than those that are for it")
}

// wide is the shortest prefix of IPv4 that still names somebody: 65,536
// addresses are more than nearly anyone has.
const wide = 16

// Wide reports whether a range is wider than anyone has, who is somebody: /32 is what
// a provider is given of IPv6.
// https://www.ripe.net/publications/docs/ripe-738 (2020-03)
func Wide(cidr string) bool {
	bits, f, ok := internet.Bits(cidr)
	return ok && (f == internet.IPv4 && bits < wide || f == internet.IPv6 && bits < 32)
}

func noWidePublicRange(e *check.Evidence, s SecurityGroup) check.Verdict {
	d := check.Read(e, s.Detail)
	r := reachOf(slices.Concat(d.Ingress, d.Egress), func(Permission) bool { return true }, internet.IPv4)
	belongsToMany := func(cidr string) bool {
		_, all := internet.Open([]string{cidr})
		return Wide(cidr) && !all && !internet.Internal(cidr)
	}
	// What rules name themselves decides before what is behind lists.
	for _, ranges := range []func() []string{
		func() []string { return internet.Within(r.ranges, internet.IPv4) },
		func() []string { return r.all(listsOf(e, s)) },
	} {
		if cidrs := ranges(); slices.ContainsFunc(cidrs, belongsToMany) {
			return check.Failed("a rule names " + cidrs[slices.IndexFunc(cidrs, belongsToMany)] + ", which belongs to many")
		}
	}
	return check.Passed("no rule names a public range wider than /16")
}

func noWidePrivateRange(e *check.Evidence, s SecurityGroup) check.Verdict {
	wholePrivate := func(cidr string) bool {
		return internet.Internal(cidr) && slices.ContainsFunc(internet.Private(), func(private string) bool { return internet.Covers(cidr, private) })
	}
	for _, p := range check.Read(e, s.Detail).Ingress {
		ranges := reachOf([]Permission{p}, func(Permission) bool { return true }, internet.IPv4).all(listsOf(e, s))
		if i := slices.IndexFunc(ranges, wholePrivate); i >= 0 {
			return check.Failed(describe(p.Protocol, p.From, p.To) + " is let in from all of " + ranges[i])
		}
	}
	return check.Passed("no rule lets a whole private range in")
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

func notFromWizard(e *check.Evidence, s SecurityGroup) check.Verdict {
	name := check.Read(e, s.Detail).Name
	return check.Must(!strings.HasPrefix(name, "launch-wizard-"),
		"the group was not made by the launch wizard", "the group is named "+name+" by the launch wizard")
}
