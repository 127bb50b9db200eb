package ec2

import (
	"net/netip"
	"slices"
	"strconv"
)

// family is one of the two versions of the internet protocol.
type family int

const (
	ipv4 family = iota
	ipv6
)

// halves are the two halves of each family's public internet. Of IPv6 only
// 2000::/3 is in use there: https://www.iana.org/assignments/ipv6-address-space
var halves = [...][2]netip.Prefix{
	ipv4: {netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1")},
	ipv6: {netip.MustParsePrefix("2000::/4"), netip.MustParsePrefix("3000::/4")},
}

// covers reports whether a range holds all of another one. A range that cannot
// be read (AWS gives none) holds nothing.
func covers(wide, narrow string) bool {
	w, err := netip.ParsePrefix(wide)
	if err != nil {
		return false
	}
	n, err := netip.ParsePrefix(narrow)
	return err == nil && contains(w, n)
}

func contains(wide, narrow netip.Prefix) bool {
	return wide.Bits() <= narrow.Bits() && wide.Contains(narrow.Addr())
}

// anywhere reports whether a range of addresses is the internet: whether it
// holds at least half of it. Nobody writes such a range to keep anyone out.
func anywhere(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	half := halves[ipv4]
	if p.Addr().Is6() {
		half = halves[ipv6]
	}
	return slices.ContainsFunc(half[:], func(h netip.Prefix) bool { return contains(p, h) })
}

// fromInternet is the first range of a permission that is the internet, of the families
// asked.
func (p Permission) fromInternet(families ...family) (cidr string, open bool) {
	for _, f := range families {
		ranges := p.IPv4
		if f == ipv6 {
			ranges = p.IPv6
		}
		if i := slices.IndexFunc(ranges, anywhere); i >= 0 {
			return ranges[i], true
		}
	}
	return "", false
}

// both are the families to ask for the internet as a whole.
var both = []family{ipv4, ipv6}

// ports are ports of the transport protocols.
type ports struct{ tcp, udp []int32 }

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

// Public reports whether an address can be reached from the internet as far as
// the address goes. AWS also gives private IPv6 addresses.
func Public(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && !a.IsPrivate() && a.IsGlobalUnicast()
}
