package serve

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Defaults of Options.
const (
	DefaultListen = "localhost:8321"
	// DefaultAdministrator is who is invited first where nobody says who it is. The domain
	// is nobody's (RFC 6761, section 6.3); cloudarq admin change-address gives whoever accepts
	// another one.
	DefaultAdministrator = "admin@cloudarq.localhost"
	// DefaultOrganization is the one that is made at the first start: that of what was
	// audited without a server, which is there to be read then.
	DefaultOrganization = local.Organization
)

// Options say where and for whom a Server serves.
type Options struct {
	// Listen are the addresses to listen on, host:port each; "localhost" is 127.0.0.1 and
	// ::1. Empty is DefaultListen.
	Listen []string
	// Certificate and Key are PEM files; empty serves without TLS. They are read again when
	// they change.
	Certificate, Key string
	// Proxies are the peers whose X-Forwarded-For and X-Forwarded-Proto are believed.
	Proxies []netip.Prefix
	// InsecureHTTP lets other machines in without TLS, and without a proxy that has it.
	InsecureHTTP bool
	// PublicURL is how people reach the server, scheme and host; empty makes one of the
	// first address.
	PublicURL string
	// SSOPrivateHosts are providers of single sign-on that may have private addresses.
	SSOPrivateHosts []string
	// Origins are those of pages elsewhere that may call /v1 from browsers.
	Origins []api.Origin

	Organization  model.OrganizationID // made at the first start
	Administrator string               // the e-mail address of who is invited first
	MaxConns      int                  // at once; 0 means 512
}

func refused(format string, args ...any) error {
	return &local.InputError{Message: fmt.Sprintf(format, args...)}
}

// Complete fills in the defaults, and refuses with a *local.InputError what cannot work,
// or would serve other machines without TLS.
func (o *Options) Complete() error {
	if len(o.Listen) == 0 {
		o.Listen = []string{DefaultListen}
	}
	o.Organization = cmp.Or(o.Organization, DefaultOrganization)
	o.Administrator = cmp.Or(o.Administrator, DefaultAdministrator)
	o.MaxConns = cmp.Or(o.MaxConns, 512)
	if (o.Certificate == "") != (o.Key == "") {
		return refused("--tls-certificate and --tls-key belong together: give both, or none")
	}
	if !model.IsOrganizationID(string(o.Organization)) {
		return refused("--organization %q is no id of an organization: it has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its beginning", o.Organization)
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return refused("--public-url %q is not scheme and host alone, such as https://cloudarq.example.com", o.PublicURL)
		}
		o.PublicURL = u.Scheme + "://" + u.Host
	}
	for i, p := range o.Proxies {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 { // written as IPv6
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
			o.Proxies[i] = p
		}
		if least := leastBits(p); p.Bits() < least {
			return refused("--behind-proxy %s is no proxy's network but much of the internet, where anybody could say to be anybody: name the proxies' own addresses (public networks have /%d at the least)", p, least)
		}
	}
	for _, address := range o.Listen {
		host, port, err := net.SplitHostPort(address)
		if err != nil || port == "" {
			return refused("--listen %q is not host:port, such as 127.0.0.1:8321 or [::1]:8321", address)
		}
		if !loopback(host) && o.Certificate == "" && len(o.Proxies) == 0 && !o.InsecureHTTP {
			return refused("--listen %s would serve other machines without TLS: give --tls-certificate and --tls-key, or name the proxy that has TLS with --behind-proxy, or say --insecure-http", address)
		}
	}
	return nil
}

// private are the networks that are nobody's on the internet: RFC 1918, 6598, 1122, 3927,
// 4193 and 4291.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// leastBits is the shortest prefix by which proxies may be named that are in a network.
func leastBits(p netip.Prefix) int {
	for _, own := range private {
		if own.Contains(p.Addr()) && p.Bits() >= own.Bits() {
			return own.Bits()
		}
	}
	if p.Addr().Is4() {
		return 8
	}
	return 16
}

// browsersEverywhere reports whether browsers of all machines can use the pages at the public
// URL. They keep no cookie that is Secure, as all of them are, of a page that came without TLS,
// but for one of their own machine.
func (o Options) browsersEverywhere() bool {
	u, err := url.Parse(o.PublicURL)
	return err == nil && (u.Scheme == "https" || !o.InsecureHTTP && loopback(u.Hostname()))
}

// loopback reports whether a host is this machine alone, for whoever calls it.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
