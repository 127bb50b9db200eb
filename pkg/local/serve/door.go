package serve

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/console"
)

// healthPath is asked by whoever watches the server. It stands before all that looks at who
// asks, and says one word.
const healthPath = "/healthz"

// maxBody is the most bytes of a request's body: twice what any route takes.
const maxBody = 2 << 20

// door is what stands in front of the API, where a deployment has a gateway: it knows where
// a request came from, and lets in only those that were sent to a name of the server's.
type door struct {
	Options
	names   map[string]bool // hosts that the server has, besides its addresses
	https   bool            // people reach it by TLS, whoever has that
	log     *slog.Logger
	healthy func(context.Context) error
	next    http.Handler

	// Somebody was told of a peer that is no proxy of ours and says that it is one: of one on
	// this machine, and of one elsewhere, which may be anybody.
	here, elsewhere sync.Once
}

// newDoor makes a door to next, for a server with a public URL.
func newDoor(o Options, public string, log *slog.Logger, healthy func(context.Context) error, next http.Handler) *door {
	d := &door{Options: o, names: map[string]bool{"localhost": true}, log: log, healthy: healthy, next: http.MaxBytesHandler(next, maxBody)}
	if u, err := url.Parse(public); err == nil {
		d.names[strings.ToLower(u.Hostname())] = true
		d.https = u.Scheme == "https"
	}
	for _, address := range o.Listen {
		if host, _, err := net.SplitHostPort(address); err == nil && host != "" {
			d.names[strings.ToLower(host)] = true
		}
	}
	return d
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	noted := &noted{ResponseWriter: w}
	client := d.client(r)
	d.noteProxy(r)
	d.serve(noted, r, client)
	if r.URL.Path == healthPath && noted.status == http.StatusOK {
		return // each few seconds
	}
	// The query is left out: that of a way back from a provider of sign-ins has a code.
	d.log.InfoContext(r.Context(), "request answered", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", noted.status), slog.Int64("bytes", noted.bytes), slog.Duration("duration", time.Since(start)),
		slog.String("address", client.address.String()), slog.String("request_id", w.Header().Get("X-Request-Id")))
}

func (d *door) serve(w http.ResponseWriter, r *http.Request, client client) {
	switch {
	case r.URL.Path == healthPath:
		d.health(w, r)
		return
	case !client.encrypted && !d.InsecureHTTP && !client.address.IsLoopback():
		api.Refuse(w, r, http.StatusForbidden, "tls_required", "requests of other machines come by TLS")
		return
	case !d.known(r):
		// A page whose own name was made to lead here could read the answers (DNS rebinding).
		api.Refuse(w, r, http.StatusMisdirectedRequest, "unknown_host", "this server is not called that; --public-url says what it is called")
		return
	case console.IsPage(r.URL.Path) && !client.encrypted && !d.https && !loopback(hostOf(r)):
		api.Refuse(w, r, http.StatusForbidden, "tls_required", "browsers sign nobody in without TLS, so the pages are answered over TLS and at localhost alone; programs come by API tokens")
		return
	}
	// Nothing behind the door believes them anew.
	for _, name := range forwarded {
		r.Header.Del(name)
	}
	r.RemoteAddr = netip.AddrPortFrom(client.address, 0).String()
	d.next.ServeHTTP(w, r)
}

// forwarded are the fields in which proxies say where a request came from.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip"}

// noteProxy says once that what a peer says of where a request came from is dropped: if that
// is a proxy, all people are counted as one, and a few mistakes keep all of them out.
func (d *door) noteProxy(r *http.Request) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || d.proxy(plain(peer.Addr())) {
		return
	}
	for _, name := range forwarded {
		if r.Header.Get(name) == "" {
			continue
		}
		once := &d.elsewhere
		if plain(peer.Addr()).IsLoopback() {
			once = &d.here
		}
		once.Do(func() {
			d.log.WarnContext(r.Context(), "a peer that --behind-proxy does not name says whom a request is of, and is not believed: if it is your proxy, all people count as one at the limits until --behind-proxy names it",
				slog.String("peer", plain(peer.Addr()).String()), slog.String("field", name))
		})
		return
	}
}

func (d *door) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		api.Refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed", "the route takes GET, HEAD")
		return
	}
	if err := d.healthy(r.Context()); err != nil {
		d.log.WarnContext(r.Context(), "not healthy", slog.Any("error", err))
		api.Refuse(w, r, http.StatusServiceUnavailable, "unavailable", "the server is about to stop, or cannot reach its data")
		return
	}
	api.Secure(w.Header())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}` + "\n")) // the client is gone, if anything
}

// client is where a request came from.
type client struct {
	address   netip.Addr // invalid if nobody can tell
	encrypted bool       // all the way, as far as the server or its proxies know
}

// client finds out where a request came from. What a proxy says of it counts if the proxy
// is one of the server's: of the hops in X-Forwarded-For, which each proxy adds to at the
// right, the rightmost that none of them is.
func (d *door) client(r *http.Request) client {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return client{}
	}
	c := client{plain(peer.Addr()), r.TLS != nil}
	if !d.proxy(c.address) {
		return c
	}
	if proto := last(r.Header.Values("X-Forwarded-Proto")); proto != "" || !c.encrypted {
		c.encrypted = proto == "" || strings.EqualFold(proto, "https") // a proxy that says nothing has TLS, which is why it is there
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && d.proxy(c.address); i-- {
		hop, err := parseHop(hops[i])
		if err != nil {
			break // what is left of it nobody of ours wrote, or a proxy that cannot
		}
		c.address = hop
	}
	return c
}

func last(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}

// parseHop reads an address as proxies write it: some add the port.
func parseHop(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if with, err := netip.ParseAddrPort(text); err == nil {
		return plain(with.Addr()), nil
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return plain(a), err
}

// plain is an address in the one form that is compared and counted.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (d *door) proxy(a netip.Addr) bool {
	for _, p := range d.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// known reports whether a request was sent to a name of the server, or to the very address
// that it came in by: of that no page of another name can be.
func (d *door) known(r *http.Request) bool {
	host := hostOf(r)
	if d.names[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if err != nil || !ok {
		return false
	}
	return plain(ip) == plain(at.AddrPort().Addr())
}

// hostOf is the host that a request was sent to, without the port.
func hostOf(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// noted notes what was answered.
type noted struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (n *noted) WriteHeader(status int) {
	if n.status == 0 {
		n.status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (n *noted) Write(p []byte) (int, error) {
	if n.status == 0 {
		n.status = http.StatusOK
	}
	written, err := n.ResponseWriter.Write(p)
	n.bytes += int64(written)
	return written, err
}

// Unwrap is for http.ResponseController.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }
