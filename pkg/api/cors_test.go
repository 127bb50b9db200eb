package api_test

import (
	"net/http"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/api"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"https://dashboards.example.com": true, "https://dashboards.example.com:8443": true, "http://localhost:3000": true, "http://127.0.0.1:3000": true, "http://[::1]:3000": true,
		"*": false, "null": false, "": false, "https://": false, "https://*.example.com": false, "https://a.example.com/": false, "https://a.example.com/x": false, "https://a.example.com?x": false,
		"https://a.example.com#x": false, "https://u@a.example.com": false, "HTTPS://a.example.com": false, "https://A.example.com": false, "http://a.example.com": false, "https://a.example.com:443": false,
		"https://a.example.com:": false, "https://a.example.com, https://b.example.com": false, "https://ä.example.com": false, "ftp://a.example.com": false, "https://a b": false, "a.example.com": false,
	} {
		if _, err := api.ParseOrigin(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestPagesOfOtherOrigins lets those read that were named, by tokens, and no others.
func TestPagesOfOtherOrigins(t *testing.T) {
	t.Parallel()
	const ours = "https://dashboards.example.com"
	s := newServer(t)
	s.origins(ours)
	preflight := header{"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}
	for _, origin := range []string{"", "null", "https://evil.example.com", ours + ".evil.example.com", ours + ":8443", "http://dashboards.example.com", "https://dashboards.example.com/", "https://DASHBOARDS.example.com", "https://xdashboards.example.com"} {
		h := header{"Origin": origin}
		for name, value := range preflight {
			h[name] = value
		}
		w := s.as(nobody, http.MethodOptions, "/v1/settings", h, nil)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q asks first: %d, %v", origin, w.Code, w.Header())
		}
		w = s.call(http.MethodGet, "/v1/settings", header{"Origin": origin}, nil)
		if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%q reads: %d, %v", origin, w.Code, w.Header())
		}
	}
	preflight["Origin"] = ours
	w := s.as(nobody, http.MethodOptions, "/v1/settings", preflight, nil)
	if h := w.Header(); w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != ours || h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Access-Control-Allow-Methods") == "" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("asked first: %d, %v", w.Code, h)
	}
	w = s.call(http.MethodGet, "/v1/settings", header{"Origin": ours}, nil)
	if h := w.Header(); w.Code != http.StatusOK || h.Get("Access-Control-Allow-Origin") != ours || h.Get("Access-Control-Expose-Headers") == "" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d, %v", w.Code, h)
	}
	// By a token it may change something, and without one it is as foreign as any.
	w = s.call(http.MethodPost, "/v1/projects", header{"Origin": ours}, map[string]any{"name": "shop"})
	if w.Code != http.StatusCreated {
		t.Errorf("by a token: %d, %s", w.Code, w.Body)
	}
	problem(t, "without a token", s.as(nobody, http.MethodPost, "/v1/sign-in", header{"Origin": ours, "Sec-Fetch-Site": "cross-site"}, map[string]any{"email": "a@example.com", "password": "x"}), http.StatusForbidden, "cross_origin")
	// Operators' routes are called by no page.
	if w := s.as(nobody, http.MethodOptions, "/operator/v1/organizations", preflight, nil); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("an operator's: %v", w.Header())
	}
}

// TestOwnOrganization is read by everybody in it, and named by its administrators.
func TestOwnOrganization(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.call(http.MethodGet, "/v1/organization", nil, nil)
	tag := w.Header().Get("ETag")
	problem(t, "without If-Match", s.call(http.MethodPatch, "/v1/organization", nil, map[string]any{"name": "Acme"}), http.StatusPreconditionRequired, "precondition_required")
	problem(t, "of another state", s.call(http.MethodPatch, "/v1/organization", header{"If-Match": `"v99"`}, map[string]any{"name": "Acme"}), http.StatusPreconditionFailed, "stale")
	problem(t, "control characters", s.call(http.MethodPatch, "/v1/organization", header{"If-Match": tag}, map[string]any{"name": "A\x1b[2Jcme"}), http.StatusUnprocessableEntity, "invalid")
	w = s.call(http.MethodPatch, "/v1/organization", header{"If-Match": tag}, map[string]any{"name": "Acme"})
	if w.Code != http.StatusOK || w.Header().Get("ETag") == tag {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	if is := s.call(http.MethodGet, "/v1/organization", nil, nil); is.Body.String() != w.Body.String() || is.Header().Get("ETag") != w.Header().Get("ETag") {
		t.Errorf("%s, want %s", is.Body, w.Body)
	}
}
