package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// always is what every answer carries, errors included: a browser that is led here runs
// nothing of it, shows it in no other page, and tells nobody. No page of another origin
// reads an answer, but for those of API.Origins.
// https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers (30 November 2026)
var always = map[string]string{
	"Strict-Transport-Security":    "max-age=63072000; includeSubDomains; preload",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Permissions-Policy":           "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cache-Control":                "no-store",
}

func secure(h http.Header) {
	for name, value := range always {
		h.Set(name, value)
	}
}

// Bounds of what is looked at.
const (
	maxHeader = 16 << 10 // bytes of all header fields; API Gateway takes 10 KiB
	maxFields = 100
	maxURL    = 8 << 10 // bytes of path and query
	maxDepth  = 32      // of objects and lists in a body, which has three
)

// malformed is the problem with a request that cannot mean anything: what no record can
// have for a name is none, and header fields and queries are text.
func malformed(ctx context.Context, r *http.Request) *Problem {
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxURL {
		return problem(ctx, http.StatusRequestURITooLong, "uri_too_long", fmt.Sprintf("path and query have at most %d bytes", maxURL))
	}
	size, fields := 0, 0
	for name, values := range r.Header {
		for _, value := range values {
			size, fields = size+len(name)+len(value), fields+1
			if !text(value) {
				return problem(ctx, http.StatusBadRequest, "invalid", "a header field is no text: it has control characters, or is not UTF-8")
			}
		}
	}
	if size > maxHeader || fields > maxFields {
		return problem(ctx, http.StatusRequestHeaderFieldsTooLarge, "header_too_large", fmt.Sprintf("the header has at most %d fields and %d bytes", maxFields, maxHeader))
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem(ctx, http.StatusBadRequest, "invalid", "the query is malformed")
	}
	for name, values := range query {
		for _, value := range append(values, name) {
			if !text(value) {
				return problem(ctx, http.StatusBadRequest, "invalid", "a query parameter is no text: it has control characters, or is not UTF-8")
			}
		}
	}
	return nil
}

// isPath reports whether a route can have a path: others the multiplexer would mend, and send
// the client on.
func isPath(p string) bool { return text(p) && path.Clean(p) == p }

// text reports whether something is UTF-8 without control characters.
func text(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// recordName is the form of the names that records have in paths: ULIDs, and the words for
// checks and services.
var recordName = regexp.MustCompile(`^[0-9A-Za-z._-]{1,128}$`)

// names answers that there is nothing under a name that nothing can have.
func names(ctx huma.Context, next func(huma.Context)) {
	for _, p := range ctx.Operation().Parameters {
		if p.In == "path" && !recordName.MatchString(ctx.Param(p.Name)) {
			_, w := humago.Unwrap(ctx)
			writeProblem(w, problem(ctx.Context(), http.StatusNotFound, "not_found", "there is no such thing in this organization"))
			return
		}
	}
	next(ctx)
}

// queries refuses a query in which two readers may read two things: a parameter that is there
// twice, or a number that is there and none, which the library takes for what is left out.
func queries(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if ctx.Operation().SkipValidateParams {
		next(ctx)
		return
	}
	query := r.URL.Query()
	for _, p := range ctx.Operation().Parameters {
		reason := ""
		switch values := query[p.Name]; {
		case p.In != "query" || len(values) == 0 || p.Extensions[filterExtension] != nil: // whose words are joined by AND
		case len(values) > 1:
			reason = "the parameter is there more than once"
		case values[0] == "" && p.Schema.Type != huma.TypeString:
			reason = "the parameter is there and says nothing"
		}
		if reason != "" {
			writeProblem(w, invalid(ctx.Context(), "query."+p.Name, reason))
			return
		}
	}
	next(ctx)
}

// deep reports whether JSON has more objects and lists in each other than bodies have.
func deep(json []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(json); i++ {
		switch c := json[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// securityPath is where whoever has found a hole looks whom to tell (RFC 9116).
const securityPath = "/.well-known/security.txt"

// securityText is what is there: the contact of SECURITY.md. Who serves it vouches for it
// for half a year from then on; RFC 9116 wants less than a year.
func (a *API) securityText() string {
	expires := a.Now().UTC().Truncate(24*time.Hour).AddDate(0, 6, 0)
	return "Contact: https://github.com/cloudarq/cloudarq/security/advisories/new\n" +
		"Policy: https://github.com/cloudarq/cloudarq/security/policy\n" +
		"Preferred-Languages: en\n" +
		"Expires: " + expires.Format(time.RFC3339) + "\n"
}
