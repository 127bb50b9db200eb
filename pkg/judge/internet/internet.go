// Package internet says which ranges of addresses are the internet: those that hold
// at least half of a family's public addresses, alone or together. Nobody writes such
// ranges to keep anyone out, and 0.0.0.0/1 with 128.0.0.0/1, or everything but the
// private ranges, are the usual ways around a test for 0.0.0.0/0.
package internet

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// Family is one of the two versions of the internet protocol.
type Family int

// The families. Of IPv6 only 2000::/3 is in use on the internet.
// https://www.iana.org/assignments/ipv6-address-space (2026-11)
const (
	IPv4 Family = iota
	IPv6
)

var whole = [...]netip.Prefix{IPv4: netip.MustParsePrefix("0.0.0.0/0"), IPv6: netip.MustParsePrefix("2000::/3")}

// Both are the two families.
var Both = []Family{IPv4, IPv6}

func familyOf(p netip.Prefix) Family {
	if p.Addr().Is4() {
		return IPv4
	}
	return IPv6
}

// parse reads a range as AWS writes it, or a single address.
func parse(cidr string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		a, err := netip.ParseAddr(cidr)
		if err != nil {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Within takes the ranges of some families.
func Within(ranges []string, families ...Family) []string {
	return slices.DeleteFunc(slices.Clone(ranges), func(cidr string) bool {
		p, ok := parse(cidr)
		return !ok || !slices.Contains(families, familyOf(p))
	})
}

// Open reports whether the ranges hold at least half of the internet of either
// family, and which of them do: one range where one is enough, else all that it
// takes, the widest first. A text that is no range holds nothing.
func Open(ranges []string) (by []string, open bool) {
	for _, f := range Both {
		if by, open := openOf(f, ranges); open {
			return by, true
		}
	}
	return nil, false
}

// named is a range as it was written.
type named struct {
	netip.Prefix
	text string
}

func openOf(f Family, ranges []string) (by []string, open bool) {
	var parsed []named
	for _, text := range ranges {
		if p, ok := parse(text); ok && familyOf(p) == f {
			parsed = append(parsed, named{p, text})
		}
	}
	slices.SortFunc(parsed, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Addr().Compare(b.Addr()))
	})
	seen := map[netip.Prefix]bool{}
	held := 0.0
	for _, p := range parsed {
		if within(seen, p.Prefix) {
			continue
		}
		share := shareOf(f, p.Prefix)
		if share == 0 {
			continue
		}
		seen[p.Prefix] = true
		by = append(by, p.text)
		if held += share; held >= 0.5 {
			return by, true
		}
	}
	return nil, false
}

// within reports whether a range lies in one of those seen.
func within(seen map[netip.Prefix]bool, p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		if wider, err := p.Addr().Prefix(bits); err == nil && seen[wider] {
			return true
		}
	}
	return false
}

// shareOf is the part of a family's internet that a range holds.
func shareOf(f Family, p netip.Prefix) float64 {
	all := whole[f]
	switch {
	case contains(p, all):
		return 1
	case !contains(all, p):
		return 0
	default:
		return math.Exp2(float64(all.Bits() - p.Bits()))
	}
}

func contains(wide, narrow netip.Prefix) bool {
	return wide.Bits() <= narrow.Bits() && wide.Contains(narrow.Addr())
}

// Covers reports whether a range holds all of another one. A text that is no range
// neither covers nor is covered.
func Covers(wide, narrow string) bool {
	w, ok := parse(wide)
	n, also := parse(narrow)
	return ok && also && w.Addr().Is4() == n.Addr().Is4() && contains(w, n)
}

// Bits is the length of a range's prefix, and its family; false for what is no range.
func Bits(cidr string) (bits int, f Family, ok bool) {
	p, ok := parse(cidr)
	if !ok {
		return 0, 0, false
	}
	return p.Bits(), familyOf(p), true
}

// notPublic are the ranges of IPv4 in which nothing on the internet lies.
// RFC 1918, and RFC 6598 of carrier-grade NAT.
var notPublic = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}

// Private are the ranges of RFC 1918.
func Private() []string { return slices.Clone(notPublic[:3]) }

// Internal reports whether a range lies in private or carrier-grade NAT space.
func Internal(cidr string) bool {
	return slices.ContainsFunc(notPublic, func(r string) bool { return Covers(r, cidr) })
}

// Public reports whether an address can be reached from the internet as far as the
// address goes. AWS also gives private IPv6 addresses.
func Public(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && !a.IsPrivate() && a.IsGlobalUnicast()
}

// Rule lets in or keeps out what comes from a range. Of several, the first that holds
// an address decides on it.
type Rule struct {
	Range string
	Allow bool
}

// Admits reports whether ordered rules let in at least half of a family's internet,
// and which of them lets in most.
func Admits(rules []Rule) (by int, open bool) {
	for _, f := range Both {
		if by, open := admitsOf(f, rules); open {
			return by, true
		}
	}
	return 0, false
}

// span is the addresses from its first up to its last, by their leading 64 bits.
type span struct{ first, last uint64 }

func admitsOf(f Family, rules []Rule) (by int, open bool) {
	all := spanOf(whole[f])
	undecided := []span{all}
	let := make([]float64, len(rules))
	total := 0.0
	for i, rule := range rules {
		p, ok := parse(rule.Range)
		// Ranges narrower than 64 bits decide on too little to count.
		if !ok || familyOf(p) != f || p.Bits() > 64 {
			continue
		}
		s := spanOf(p)
		var left []span
		for _, u := range undecided {
			first, last := max(u.first, s.first), min(u.last, s.last)
			if first > last {
				left = append(left, u)
				continue
			}
			if rule.Allow {
				let[i] += (float64(last-first) + 1) / (float64(all.last-all.first) + 1)
			}
			if u.first < first {
				left = append(left, span{u.first, first - 1})
			}
			if last < u.last {
				left = append(left, span{last + 1, u.last})
			}
		}
		undecided = left
		total += let[i]
		if let[i] > let[by] {
			by = i
		}
	}
	return by, total >= 0.5-1e-9 && len(rules) > 0 && let[by] > 0
}

func spanOf(p netip.Prefix) span {
	bytes := p.Addr().As16()
	var first uint64
	width := 64
	if p.Addr().Is4() {
		four := p.Addr().As4()
		for _, b := range four {
			first = first<<8 | uint64(b)
		}
		width = 32
	} else {
		for _, b := range bytes[:8] {
			first = first<<8 | uint64(b)
		}
	}
	size := uint64(1) << (width - p.Bits()) // 0 for all of 64 bits: the last is then the greatest
	return span{first, first + size - 1}
}
