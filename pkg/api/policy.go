package api

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// policyPath is the one path that anybody may read: what CloudArq may call is no
// secret, and whoever is asked for a role should see it before they have a key.
const policyPath = "/v1/policy"

// public serves what needs no caller: the published policy, the very bytes of
// `cloudarq policy show --format json`, tagged with their hash.
func public(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != policyPath || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		role, err := policy.NewRole(policy.Operations())
		if err != nil { // a test of package policy makes sure that it cannot be
			writeProblem(w, problem(r.Context(), http.StatusInternalServerError, "internal", "the policy cannot be written"))
			return
		}
		h := w.Header()
		h.Set("ETag", `"`+role.Hash+`"`)
		h.Set("CloudArq-Policy-Version", role.Version)
		h.Set("Cache-Control", "public, max-age=3600")
		if r.Header.Get("If-None-Match") == h.Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(role.JSON()))
	})
}
