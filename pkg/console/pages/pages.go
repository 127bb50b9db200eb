// Package pages is what people look at in a browser. Pages are made here, of what the API
// says: whatever one shows or does is a request of the browser's to the API's handler, in
// this process, with the browser's cookies. So who may do what and how often, what the admin
// log has of it, and what proves that a page of ours asked, are the API's alone.
//
// Every page works without scripts, but for passkeys. What goes from one step to the next
// goes in hidden fields: no secret is in a URL.
package pages

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// site is the pages over an API.
type site struct {
	api     http.Handler
	log     *slog.Logger
	origins http.CrossOriginProtection
	routes  map[string]methods
}

// action shows a page, or does what a form asks for.
type action func(*site, *visit)

// methods are the actions of a path. HEAD is GET without a body.
type methods map[string]action

func (m methods) allowed() string {
	all := slices.Collect(maps.Keys(m))
	if m[http.MethodGet] != nil {
		all = append(all, http.MethodHead)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// page is the methods of a page that has a form.
func page(show, submit action) methods {
	return methods{http.MethodGet: show, http.MethodPost: submit}
}

// step is the methods of a form that another page has. Whoever comes back to it, or reloads
// it, begins at that page.
func step(submit action, at string) methods {
	return methods{http.MethodPost: submit, http.MethodGet: func(_ *site, v *visit) { v.redirect(at) }}
}

// routes are all pages.
func routes() map[string]methods {
	return map[string]methods{
		homePath:                   {http.MethodGet: (*site).showHome},
		"/organization":            step((*site).changeOrganization, homePath),
		"/sessions/end":            step((*site).endSession, homePath),
		"/sessions/end-others":     step((*site).endOtherSessions, homePath),
		"/sign-out":                step((*site).signOut, homePath),
		signInPath:                 page((*site).showSignIn, (*site).signIn),
		"/sign-in/second-factor":   step((*site).showSecondFactor, signInPath),
		"/sign-in/enrolment":       step((*site).enrol, signInPath),
		"/sign-in/organization":    step((*site).chooseOrganization, signInPath),
		"/sign-in/single-sign-on":  step((*site).singleSignOn, signInPath),
		"/invitation":              page((*site).showInvitation, (*site).lookUpInvitation),
		"/invitation/acceptance":   step((*site).acceptInvitation, "/invitation"),
		"/recovery":                page((*site).showRecovery, (*site).lookUpRecovery),
		"/recovery/password":       step((*site).recover, "/recovery"),
		"/authorize":               page((*site).showAuthorization, (*site).authorize),
		mePath:                     {http.MethodGet: (*site).showMe},
		"/me/name":                 step((*site).changeName, mePath),
		"/me/email":                step((*site).changeEmail, mePath),
		"/me/password":             step((*site).changePassword, mePath),
		"/me/app":                  step((*site).setUpApp, mePath),
		"/me/app/confirmation":     step((*site).confirmApp, mePath),
		"/me/app/removal":          step((*site).removeApp, mePath),
		"/me/backup-codes":         step((*site).renewBackupCodes, mePath),
		"/me/passkey":              step((*site).beginPasskey, mePath),
		"/me/passkey/registration": step((*site).registerPasskey, mePath),
		"/me/passkey/removal":      step((*site).removePasskey, mePath),
	}
}

const (
	homePath   = "/"
	signInPath = "/sign-in"
	mePath     = "/me"
)

// Over puts the pages over the handler of an API, which answers for all paths but theirs.
func Over(api http.Handler, log *slog.Logger) http.Handler {
	return &site{api: api, log: log, routes: routes()}
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, assetPrefix); ok && served[name] != nil {
		serveAsset(w, r, served[name])
		return
	}
	here, ok := s.routes[r.URL.Path]
	if !ok && (Programs(r.URL.Path) || !strings.Contains(r.Header.Get("Accept"), "text/html")) {
		s.api.ServeHTTP(w, r)
		return
	}
	v := &visit{site: s, w: w, r: r}
	w.Header().Set("Content-Security-Policy", contentPolicy())
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	act := here[method]
	switch {
	case !ok:
		v.refuse(http.StatusNotFound, "There is no such page", "The address may be mistyped, or the page may have moved.")
	case act == nil:
		w.Header().Set("Allow", here.allowed())
		v.refuse(http.StatusMethodNotAllowed, "That is not possible here", "The page does not take such a request.")
	case s.origins.Check(r) != nil:
		v.refuse(http.StatusForbidden, "Nothing was changed", "A page of another site sent this form.")
	case method == http.MethodPost && !v.readForm():
		v.refuse(http.StatusRequestEntityTooLarge, "Nothing was changed", "What was sent is no form of ours, or is too large.")
	default:
		act(s, v)
	}
}

// Programs reports whether a path is for programs, who read problems and no pages.
func Programs(path string) bool {
	for _, prefix := range []string{"/v1", "/operator", "/.well-known"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return false
}

// contentPolicy is what a page may load and do: its style, its scripts and its mark are ours,
// nothing stands in its text that runs, and its forms go to us; or to a host of the loopback
// interface besides, for the one page that hands over to a program there.
// https://www.w3.org/TR/CSP3/ (30 November 2026)
func contentPolicy(forms ...string) string {
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action " + strings.Join(append([]string{"'self'"}, forms...), " ") +
		"; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}
