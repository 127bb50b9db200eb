package serve_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/serve"
)

// TestClient: what a header says of where a request came from counts for what a proxy of
// ours wrote, and no further.
func TestClient(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer      string
		hops      []string // of X-Forwarded-For, a field each
		proto     string
		tls       bool
		address   string
		encrypted bool
	}{
		"no proxy":                        {peer: "192.0.2.1:1", address: "192.0.2.1"},
		"no proxy, with TLS":              {peer: "192.0.2.1:1", tls: true, address: "192.0.2.1", encrypted: true},
		"somebody who says he is one":     {peer: "192.0.2.1:1", hops: []string{"198.51.100.7"}, proto: "https", address: "192.0.2.1"},
		"a proxy":                         {peer: "10.1.1.1:1", hops: []string{"198.51.100.7"}, proto: "https", address: "198.51.100.7", encrypted: true},
		"a proxy that was called without": {peer: "10.1.1.1:1", hops: []string{"198.51.100.7"}, proto: "http", address: "198.51.100.7"},
		"a proxy that says no protocol":   {peer: "10.1.1.1:1", hops: []string{"198.51.100.7"}, address: "198.51.100.7", encrypted: true},
		"a client who made up a hop":      {peer: "10.1.1.1:1", hops: []string{"127.0.0.1, 198.51.100.7"}, proto: "https", address: "198.51.100.7", encrypted: true},
		"hops in two fields":              {peer: "10.1.1.1:1", hops: []string{"127.0.0.1", "198.51.100.7"}, address: "198.51.100.7", encrypted: true},
		"two proxies":                     {peer: "10.1.1.1:1", hops: []string{"127.0.0.1, 198.51.100.7, 10.2.2.2"}, address: "198.51.100.7", encrypted: true},
		"made-up protocol":                {peer: "10.1.1.1:1", hops: []string{"198.51.100.7"}, proto: "https, http", address: "198.51.100.7"},
		"a hop that is no address":        {peer: "10.1.1.1:1", hops: []string{"127.0.0.1, unknown"}, address: "10.1.1.1", encrypted: true},
		"no hop":                          {peer: "10.1.1.1:1", address: "10.1.1.1", encrypted: true},
		"only proxies":                    {peer: "10.1.1.1:1", hops: []string{"10.3.3.3"}, address: "10.3.3.3", encrypted: true},
		"a hop with a port":               {peer: "[fd00::1]:1", hops: []string{"[2001:db8::7]:443"}, address: "2001:db8::7", encrypted: true},
		"IPv4 in IPv6":                    {peer: "[::ffff:10.1.1.1]:1", hops: []string{"::ffff:198.51.100.7"}, address: "198.51.100.7", encrypted: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			for _, hop := range c.hops {
				r.Header.Add("X-Forwarded-For", hop)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			address, encrypted := serve.ClientOf(serve.Options{Proxies: proxies}, r)
			if address != c.address || encrypted != c.encrypted {
				t.Errorf("%s, encrypted %t; want %s, %t", address, encrypted, c.address, c.encrypted)
			}
		})
	}
}

// TestProxyThatNobodyNamed: that what it says is dropped is said, once; and that nobody can
// have it said of a client elsewhere, so that it is not said of the proxy.
func TestProxyThatNobodyNamed(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	door := serve.Door(serve.Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, slog.New(slog.NewTextHandler(&log, nil)),
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for i, c := range []struct {
		peer, field string
		said        int
	}{
		{"10.1.1.1:1", "X-Forwarded-For", 0},
		{"127.0.0.1:1", "Accept", 0},
		{"192.0.2.1:1", "X-Forwarded-For", 1},
		{"192.0.2.2:1", "Forwarded", 1},
		{"127.0.0.1:1", "Forwarded", 2},
		{"[::1]:1", "X-Forwarded-For", 2},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/v1/session", nil)
		r.RemoteAddr = c.peer
		r.Header.Set(c.field, "198.51.100.7")
		door.ServeHTTP(httptest.NewRecorder(), r)
		if got := strings.Count(log.String(), "level=WARN msg=\"a peer that --behind-proxy does not name"); got != c.said {
			t.Errorf("after request %d it was said %d times, want %d:\n%s", i, got, c.said, log.String())
		}
	}
}

func behind(networks ...string) (o serve.Options) {
	for _, n := range networks {
		o.Proxies = append(o.Proxies, netip.MustParsePrefix(n))
	}
	return o
}

// TestPagesNeedTLS: where no browser would sign anybody in, pages say so; programs come in.
func TestPagesNeedTLS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o     serve.Options
		host  string
		tls   bool
		pages bool
	}{
		"this machine":                    {serve.Options{PublicURL: "http://localhost:8321"}, "localhost:8321", false, true},
		"this machine, by its address":    {serve.Options{PublicURL: "http://localhost:8321"}, "127.0.0.1:8321", false, true},
		"another machine":                 {serve.Options{PublicURL: "http://box.example.com", InsecureHTTP: true}, "box.example.com", false, false},
		"another machine, with TLS":       {serve.Options{PublicURL: "https://box.example.com"}, "box.example.com", true, true},
		"a proxy has TLS":                 {serve.Options{PublicURL: "https://box.example.com", InsecureHTTP: true}, "box.example.com", false, true},
		"of a machine that has others":    {serve.Options{PublicURL: "http://localhost:8321", InsecureHTTP: true, Listen: []string{"box.example.com:8321"}}, "box.example.com:8321", false, false},
		"a container's port on localhost": {serve.Options{PublicURL: "http://localhost:8321", InsecureHTTP: true}, "localhost:8321", false, true},
	} {
		for path, page := range map[string]bool{"/": true, "/sign-in": true, "/v1/session": false, "/.well-known/security.txt": false} {
			r := httptest.NewRequest(http.MethodGet, "http://"+c.host+path, nil)
			r.RemoteAddr = "127.0.0.1:1"
			if strings.HasPrefix(name, "another") {
				r.RemoteAddr = "192.0.2.1:1"
			}
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			// Who asks by an address of this machine asked at that.
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:8321"))))
			serve.Door(c.o, slog.New(slog.DiscardHandler), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if want := c.pages || !page; (w.Code == http.StatusOK) != want || !want && (w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "tls_required")) {
				t.Errorf("%s, %s: %d %s", name, path, w.Code, w.Body)
			}
		}
	}
}

// TestOptions: other machines are served with TLS, or by who was told that they are not.
func TestOptions(t *testing.T) {
	t.Parallel()
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		o    serve.Options
		says string // of the refusal; empty wants none
	}{
		"nothing said":           {serve.Options{}, ""},
		"loopback":               {serve.Options{Listen: []string{"127.0.0.2:1", "[::1]:1", "localhost:1"}}, ""},
		"all addresses":          {serve.Options{Listen: []string{":8321"}}, "--listen :8321"},
		"all of IPv4":            {serve.Options{Listen: []string{"0.0.0.0:8321"}}, "--insecure-http"},
		"all of IPv6":            {serve.Options{Listen: []string{"[::]:8321"}}, "--insecure-http"},
		"one among others":       {serve.Options{Listen: []string{"localhost:1", "192.0.2.1:1"}}, "--listen 192.0.2.1:1"},
		"a name":                 {serve.Options{Listen: []string{"cloudarq.example.com:1"}}, "--tls-certificate"},
		"a name like localhost":  {serve.Options{Listen: []string{"localhost.example.com:1"}}, "--behind-proxy"},
		"with TLS":               {serve.Options{Listen: []string{":443"}, Certificate: "c", Key: "k"}, ""},
		"half of TLS":            {serve.Options{Certificate: "c"}, "--tls-key"},
		"behind a proxy":         {serve.Options{Listen: []string{":8321"}, Proxies: proxy}, ""},
		"behind everybody":       {behind("0.0.0.0/0"), "--behind-proxy 0.0.0.0/0"},
		"behind all of IPv6":     {behind("::/0"), "--behind-proxy ::/0"},
		"half of everybody":      {behind("128.0.0.0/1"), "public networks"},
		"much of IPv6":           {behind("2000::/3"), "/16 at the least"},
		"around private ones":    {behind("8.0.0.0/6"), "/8 at the least"},
		"everybody, as IPv6":     {behind("::ffff:0.0.0.0/96"), "--behind-proxy 0.0.0.0/0"},
		"the loopback's":         {behind("127.0.0.0/8"), ""},
		"unique local addresses": {behind("fc00::/7"), ""},
		"public networks":        {behind("54.0.0.0/8", "2600::/16", "198.51.100.7/32", "::ffff:10.0.0.0/104"), ""},
		"told to":                {serve.Options{Listen: []string{":8321"}, InsecureHTTP: true}, ""},
		"no port":                {serve.Options{Listen: []string{"localhost"}}, "host:port"},
		"a URL with a path":      {serve.Options{PublicURL: "https://example.com/cloudarq"}, "--public-url"},
		"a URL with a password":  {serve.Options{PublicURL: "https://a:b@example.com"}, "--public-url"},
		"a URL of another kind":  {serve.Options{PublicURL: "ftp://example.com"}, "--public-url"},
		"no URL":                 {serve.Options{PublicURL: "example.com"}, "--public-url"},
		"an organization's name": {serve.Options{Organization: "Acme Inc"}, "--organization"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.o.Complete()
			if c.says == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			var input *local.InputError
			if c.says != "" && (!errors.As(err, &input) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v, want a refusal that says %q", err, c.says)
			}
		})
	}
}
