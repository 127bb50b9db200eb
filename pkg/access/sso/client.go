package sso

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// What a provider may cost.
const (
	fetchTime  = 5 * time.Second // of one request, from its name to the end of its answer
	fetchBytes = 1 << 20         // of one answer
	headBytes  = 64 << 10
	mostDials  = 4 // addresses of one name that are tried
)

// Why nothing is asked of a URL; compare with errors.Is.
var (
	ErrScheme   = errors.New("providers are reached by https alone, and without a user in the URL")
	ErrAddress  = errors.New("the name leads to no address on the internet")
	ErrRedirect = errors.New("the provider answers with a redirect")
	ErrLarge    = errors.New("the answer is too large")
)

// Reach is what the client of providers can reach.
type Reach struct {
	// PrivateHosts are names, or addresses, that the operator lets lead to private
	// addresses: an organization has no say in it.
	PrivateHosts []string
	// Roots are whom certificates are issued by; nil: who the system trusts.
	Roots *x509.CertPool
	// Lookup resolves a name; nil: as the system does.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// NewClient makes an HTTP client for URLs that organizations and their providers choose.
// It asks by https, of addresses on the internet, which are those that it connects to and
// not those that a name had a moment before; it follows no redirect, uses no proxy, and
// reads no more than fetchBytes.
func NewClient(r Reach) *http.Client {
	if r.Lookup == nil {
		r.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &http.Client{
		Timeout: fetchTime,
		Transport: careful{&http.Transport{
			Proxy:       nil, // one of the environment's would resolve names by itself
			DialContext: r.dial,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, RootCAs: r.Roots,
			},
			TLSHandshakeTimeout: fetchTime, ResponseHeaderTimeout: fetchTime,
			MaxResponseHeaderBytes: headBytes, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return ErrRedirect },
	}
}

func (r Reach) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	if literal, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{literal}
	} else if addrs, err = r.Lookup(ctx, host); err != nil {
		return nil, err
	}
	private := slices.ContainsFunc(r.PrivateHosts, func(h string) bool { return strings.EqualFold(h, host) })
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		return !OnInternet(a) && (!private || !mayBePrivate(a))
	})
	if len(addrs) == 0 {
		return nil, ErrAddress
	}
	var d net.Dialer
	var errs []error
	for _, a := range addrs[:min(len(addrs), mostDials)] {
		c, err := d.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// Addresses that are not on the internet: those of which the registries say that they are
// not globally reachable, and those that lead to other addresses.
// https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry, read on 30 November 2026.
var notOnInternet = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's own, of every virtual machine there: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
	"2001::/23",        // of protocols, Teredo among them
	"2001:db8::/32", "2002::/16", "3fff::/20",
)

// unicast6 is the part of IPv6 that is in use; all else is internal, mapped, or nothing.
var unicast6 = netip.MustParsePrefix("2000::/3")

// OnInternet reports whether an address can be anybody's on the internet.
func OnInternet(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !unicast6.Contains(a) {
		return false
	}
	return a.IsValid() && !in(notOnInternet, a)
}

// privateRanges are those that a company's own provider has: RFC 1918, RFC 6598, RFC 4193,
// and this machine. Link-local ones are not among them: they lead to the credentials of the
// machine, as does fd00:ec2::254 of AWS.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
var (
	privateRanges = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
	metadata      = prefixes("fd00:ec2::/32", "100.100.100.200/32") // AWS; Alibaba Cloud
)

func mayBePrivate(a netip.Addr) bool {
	a = a.Unmap()
	return a.Zone() == "" && in(privateRanges, a) && !in(metadata, a)
}

func in(ranges []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) })
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// careful asks by https alone, and reads no more than it may.
type careful struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c careful) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.User != nil || r.URL.Hostname() == "" {
		return nil, ErrScheme
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &bounded{answer.Body, fetchBytes}
	return answer, nil
}

// bounded is a body that is an error as soon as it has more than it may.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrLarge, fetchBytes)
	}
	return n, err
}
