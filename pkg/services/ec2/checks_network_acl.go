package ec2

import (
	"strconv"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func networkACLRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-network-acl-no-ssh-from-internet", model.Medium, closedACL(ports{tcp: []int32{22}})).CausedBy("ec2-network-acl-no-all-traffic-from-internet"),
		check.For("ec2-network-acl-no-rdp-from-internet", model.Medium, closedACL(ports{tcp: []int32{3389}, udp: []int32{3389}})).CausedBy("ec2-network-acl-no-all-traffic-from-internet"),
		check.For("ec2-network-acl-no-all-traffic-from-internet", model.Medium, noAllTrafficACL),
		check.For("ec2-network-acl-used", model.Low, aclUsed),
	}
}

func closedACL(want ports) func(*check.Evidence, NetworkACL) check.Verdict {
	return func(e *check.Evidence, a NetworkACL) check.Verdict {
		d := check.Read(e, a.Detail)
		for _, one := range want.singles() {
			rule, open := d.admits(func(r ACLEntry) bool {
				_, matches := one.openPort(r.Protocol, r.From, r.To)
				return matches
			})
			if open {
				port, _ := one.openPort(rule.Protocol, rule.From, rule.To)
				return check.Failed(port + " is open to " + rule.Range + rule.cite())
			}
		}
		return check.Passed("the port is closed to the internet")
	}
}

func noAllTrafficACL(e *check.Evidence, a NetworkACL) check.Verdict {
	d := check.Read(e, a.Detail)
	for _, protocol := range []string{"tcp", "udp"} {
		// A denial in front counts only if it, too, is of all the protocol's ports.
		rule, open := d.admits(func(r ACLEntry) bool {
			return carriesAll(r.Protocol, r.From, r.To) && (r.Protocol == "-1" || protocolOf(r.Protocol) == protocol)
		})
		if open {
			return check.Failed(describe(rule.Protocol, rule.From, rule.To) + " is let in from " + rule.Range + rule.cite())
		}
	}
	return check.Passed("no rule lets all ports in from the internet")
}

func aclUsed(e *check.Evidence, a NetworkACL) check.Verdict {
	d := check.Read(e, a.Detail)
	if d.Default {
		return check.Inapplicable("the default list of a VPC cannot be deleted")
	}
	return check.Must(len(d.Subnets) > 0, "subnets use the list", "no subnet uses the list")
}

// admits finds the inbound rule by which most of the internet gets in, if at least half
// of it does. Of the rules that match the traffic, the first one that holds an address
// decides on it.
// https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
func (d ACLDetail) admits(matches func(ACLEntry) bool) (ACLEntry, bool) {
	var entries []ACLEntry
	var rules []internet.Rule
	for _, r := range d.Ingress {
		if matches(r) {
			entries, rules = append(entries, r), append(rules, internet.Rule{Range: r.Range, Allow: r.Allow})
		}
	}
	if by, open := internet.Admits(rules); open {
		return entries[by], true
	}
	return ACLEntry{}, false
}

// cite names the rule: " by rule 100".
func (r ACLEntry) cite() string { return " by rule " + strconv.Itoa(int(r.Number)) }
