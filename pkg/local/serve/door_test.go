package serve_test

import (
	"crypto/tls"
	"errors"
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
