package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// policyPath is the one path that anybody may read: what CloudArq may call is no
// secret, and whoever is asked for a role should see it before they have a key.
const policyPath = "/v1/policy"

// policyTypes are the media types of a role's forms. YAML's is of RFC 9512;
// Terraform's language has none.
var policyTypes = map[policy.Format]string{
	policy.FormatJSON:           "application/json",
	policy.FormatCloudFormation: "application/yaml",
	policy.FormatStackSet:       "application/yaml",
	policy.FormatTerraform:      "text/plain; charset=utf-8",
}

// public serves what needs no caller: whom to tell of a hole, and the published policy.
func (a *API) public(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isPath(r.URL.Path):
			writeProblem(w, noRoute(r.Context()))
		case r.URL.Path != policyPath && r.URL.Path != securityPath:
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, problem(r.Context(), http.StatusMethodNotAllowed, "method_not_allowed", "the route takes GET, HEAD"))
		case r.URL.Path == securityPath:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", "public, max-age=86400")
			_, _ = w.Write([]byte(a.securityText()))
		default:
			showPolicy(w, r)
		}
	})
}

// showPolicy shows the published policy, the very bytes of `cloudarq policy show
// --format`, tagged with their SHA-256.
func showPolicy(w http.ResponseWriter, r *http.Request) {
	format, err := policyFormat(r)
	if err != nil {
		writeProblem(w, err)
		return
	}
	role, failed := policy.NewRole(policy.Operations())
	if failed != nil { // a test of package policy makes sure that it cannot be
		writeProblem(w, problem(r.Context(), http.StatusInternalServerError, "internal", "the policy cannot be written"))
		return
	}
	text := role.In(format)
	sum := sha256.Sum256([]byte(text))
	h := w.Header()
	h.Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	h.Set("CloudArq-Policy-Version", role.Version)
	h.Set("Cache-Control", "public, max-age=3600")
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", policyTypes[format])
	_, _ = w.Write([]byte(text)) //nolint:gosec // one of four texts, none of which the request has a part in
}

// policyFormat is the form that a request asks for, JSON if it asks for none.
func policyFormat(r *http.Request) (policy.Format, *Problem) {
	query := r.URL.Query()
	for name := range query {
		if name != "format" {
			return "", invalid(r.Context(), "query."+name, "unknown query parameter")
		}
	}
	if !query.Has("format") {
		return policy.FormatJSON, nil
	}
	format, err := policy.ParseFormat(query.Get("format"))
	if err != nil {
		return "", invalid(r.Context(), "query.format", err.Error())
	}
	return format, nil
}
