package ec2

import (
	"maps"
	"slices"
	"strconv"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
)

// reach is what some permissions let in, or out, together.
type reach struct {
	ranges   []string
	lists    []string // ids of prefix lists, whose ranges count as well
	families []internet.Family
}

// reachOf puts together the permissions that carry some traffic.
func reachOf(all []Permission, carries func(Permission) bool, families ...internet.Family) reach {
	r := reach{families: families}
	for _, p := range all {
		if carries(p) {
			r.ranges, r.lists = append(append(r.ranges, p.IPv4...), p.IPv6...), append(r.lists, p.PrefixLists...)
		}
	}
	return r
}

// lists reads the ranges behind prefix lists. It may end the rule.
type lists func() map[string][]string

// listsOf reads those that security groups name.
func listsOf(e *check.Evidence, groups ...SecurityGroup) lists {
	return func() map[string][]string {
		all := map[string][]string{}
		for _, g := range groups {
			maps.Copy(all, check.Read(e, g.Lists))
		}
		return all
	}
}

// open names the ranges that make it the internet, if some do. Lists are read only
// where they decide.
func (r reach) open(behind lists) (from string, open bool) {
	if by, open := internet.Open(internet.Within(r.ranges, r.families...)); open || len(r.lists) == 0 {
		return check.List(by), open
	}
	by, open := internet.Open(r.all(behind))
	return check.List(by), open
}

// all is its ranges with those behind its lists.
func (r reach) all(behind lists) []string {
	ranges := slices.Clone(r.ranges)
	if len(r.lists) > 0 {
		known := behind()
		for _, id := range r.lists {
			ranges = append(ranges, known[id]...)
		}
	}
	return internet.Within(ranges, r.families...)
}

// ports are ports of the transport protocols.
type ports struct{ tcp, udp []int32 }

// singles takes ports apart: a rule may be about one of them only.
func (want ports) singles() []ports {
	var all []ports
	for _, port := range want.tcp {
		all = append(all, ports{tcp: []int32{port}})
	}
	for _, port := range want.udp {
		all = append(all, ports{udp: []int32{port}})
	}
	return all
}

// String names the first port: "tcp port 22".
func (want ports) String() string {
	name, _ := want.openPort("-1", nil, nil)
	return name
}

// everyPort reports whether ranges of ports hold all of them together.
func everyPort(all []Permission) bool {
	spans := make([][2]int32, 0, len(all))
	for _, p := range all {
		if allPorts(p.From, p.To) {
			return true
		}
		spans = append(spans, [2]int32{*p.From, *p.To})
	}
	slices.SortFunc(spans, func(a, b [2]int32) int { return int(a[0] - b[0]) })
	next := int32(1)
	for _, s := range spans {
		if s[0] > next {
			return false
		}
		next = max(next, s[1]+1)
	}
	return next > 65535
}

// protocolOf names a protocol that AWS may give as a number.
func protocolOf(word string) string {
	switch word {
	case "1":
		return "icmp"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "58":
		return "icmpv6"
	default:
		return word
	}
}

// openPort is the first of the wanted ports that a protocol's range of ports
// holds. ICMP knows types, not ports; its numbers never count.
func (want ports) openPort(protocol string, from, to *int32) (name string, open bool) {
	protocol = protocolOf(protocol)
	for _, wanted := range []struct {
		protocol string
		ports    []int32
	}{{"tcp", want.tcp}, {"udp", want.udp}} {
		if protocol != "-1" && protocol != wanted.protocol {
			continue
		}
		for _, port := range wanted.ports {
			if protocol == "-1" || within(port, from, to) {
				return wanted.protocol + " port " + strconv.Itoa(int(port)), true
			}
		}
	}
	return "", false
}

// within reports whether a range holds a port. AWS leaves the ends out, or says
// -1, where a rule is for all ports.
func within(port int32, from, to *int32) bool {
	return allPorts(from, to) || *from <= port && port <= *to
}

func allPorts(from, to *int32) bool {
	return from == nil || to == nil || *from == -1 || *from <= 1 && *to == 65535
}

// carriesAll reports whether a rule is for all traffic: every protocol, or all
// ports of TCP or UDP.
func carriesAll(protocol string, from, to *int32) bool {
	switch protocolOf(protocol) {
	case "-1":
		return true
	case "tcp", "udp":
		return allPorts(from, to)
	default:
		return false
	}
}

// describe writes a permission's ports for people: "tcp 8000-8080".
func describe(protocol string, from, to *int32) string {
	protocol = protocolOf(protocol)
	switch {
	case protocol == "-1":
		return "all traffic"
	case protocol != "tcp" && protocol != "udp":
		return "protocol " + protocol
	case allPorts(from, to):
		return "every " + protocol + " port"
	case *from == *to:
		return protocol + " port " + strconv.Itoa(int(*from))
	default:
		return protocol + " ports " + strconv.Itoa(int(*from)) + "-" + strconv.Itoa(int(*to))
	}
}
