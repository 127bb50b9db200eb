package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origin is the origin of pages that may call the API from a browser, by an API token:
// cookies are never theirs. It is compared as a whole with what browsers say.
type Origin string

// OriginError says that a text is no origin.
type OriginError struct{ Text string }

func (e *OriginError) Error() string {
	return fmt.Sprintf("%q is no origin, such as https://dashboards.example.com: it has a scheme and a host, in lower case, a port where that is not the scheme's own, and nothing else", e.Text)
}

// ParseOrigin reads an origin as browsers write it. Plain http is for this machine alone.
func ParseOrigin(text string) (Origin, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != text || strings.ToLower(text) != text {
		return "", &OriginError{text}
	}
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > '~' || strings.ContainsRune("*,\"' ", r) }) {
		return "", &OriginError{text}
	}
	local := slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	own := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if u.Scheme != "https" && (u.Scheme != "http" || !local) || u.Port() == own || strings.HasSuffix(u.Host, ":") {
		return "", &OriginError{text}
	}
	return Origin(text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Origin) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOrigin(string(text))
	return err
}

// What pages of other origins may send, and may read of answers besides the body.
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, X-Request-Id"
	corsExposed = "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate, X-Request-Id"
)

// cors lets pages of the origins that were named read answers of /v1, and answers what
// browsers ask before. Without such an origin nothing of it is said
// (https://fetch.spec.whatwg.org/#http-cors-protocol, 30 November 2026).
func (a *API) cors(next http.Handler) http.Handler {
	if len(a.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !slices.Contains(a.Origins, Origin(origin)) {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			h.Set("Access-Control-Expose-Headers", corsExposed)
			next.ServeHTTP(w, r)
			return
		}
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}
