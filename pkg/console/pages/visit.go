package pages

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/answer"
)

// maxForm is the most bytes of a form: what a passkey answers is the largest field.
const maxForm = 192 << 10

// visit is a request for a page, and its answer.
type visit struct {
	site *site
	w    http.ResponseWriter
	r    *http.Request
	// back is where somebody comes back to who has to sign in on the way, if that is not
	// the page that was asked for.
	back string
}

// readForm reads the form that was sent; false if it is too large, or none.
func (v *visit) readForm() bool {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	return v.r.ParseForm() == nil
}

// field is what a field of the form says.
func (v *visit) field(name string) string { return v.r.PostForm.Get(name) }

// csrfField has what shows that a page of ours made a request.
const csrfField = "csrf"

// refusal is why the API did not do what was asked.
type refusal struct {
	api.Problem
	wait time.Duration // until it is worth another try
}

// forwarded is what of a browser's request the API looks at. There is no Authorization: by
// pages people do things by their cookies alone.
var forwarded = []string{"Cookie", "Origin", "Sec-Fetch-Site", "User-Agent"}

// ask makes a request to the API as the browser's own, and reads the answer. The cookies in
// it go on to the browser.
func (v *visit) ask(method, path string, in, out any) *refusal {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return v.broken(method, path, err)
		}
	}
	r, err := http.NewRequestWithContext(v.r.Context(), method, path, &body)
	if err != nil {
		return v.broken(method, path, err)
	}
	r.RemoteAddr, r.Host, r.TLS = v.r.RemoteAddr, v.r.Host, v.r.TLS
	for _, name := range forwarded {
		r.Header[name] = v.r.Header[name]
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	if token := v.field(csrfField); token != "" {
		r.Header.Set("CloudArq-CSRF", token)
	}
	a := answer.New()
	v.site.api.ServeHTTP(a, r)
	for _, cookie := range a.Header().Values("Set-Cookie") {
		v.w.Header().Add("Set-Cookie", cookie)
	}
	if a.Status >= http.StatusMultipleChoices { // the API leads nobody on who asks here
		refused := &refusal{}
		if err := json.Unmarshal(a.Body.Bytes(), &refused.Problem); err != nil {
			return v.broken(method, path, err)
		}
		seconds, _ := strconv.Atoi(a.Header().Get("Retry-After")) // 0 if it says nothing
		refused.wait = time.Duration(seconds) * time.Second
		return refused
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body.Bytes(), out); err != nil {
		return v.broken(method, path, err)
	}
	return nil
}

// broken is the refusal of what can only be a fault of ours.
func (v *visit) broken(method, path string, err error) *refusal {
	v.site.log.ErrorContext(v.r.Context(), "the API's answer to a page cannot be used", slog.String("method", method), slog.String("path", path), slog.Any("error", err))
	return &refusal{Problem: api.Problem{Status: http.StatusInternalServerError, Code: "internal"}}
}

// record is the id of something in a path of the API: of nothing, if a form says what is none.
func record(id string) string {
	if !model.IsULID(id) {
		return "none"
	}
	return id
}

// show answers with a page.
func (v *visit) show(status int, page templ.Component) {
	var b bytes.Buffer
	if err := page.Render(v.r.Context(), &b); err != nil {
		v.site.log.ErrorContext(v.r.Context(), "a page cannot be written", slog.String("path", v.r.URL.Path), slog.Any("error", err))
		http.Error(v.w, "something went wrong here", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // the client is gone, if anything
}

// refuse answers with a page that says why there is nothing else.
func (v *visit) refuse(status int, title, text string) {
	v.show(status, refusedPage(title, text, v.w.Header().Get("X-Request-Id")))
}

// redirect sends the browser on to a page, or to a program on its own machine. It is written
// as it is: http.Redirect would clean it.
func (v *visit) redirect(to string) {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// accessCookie is the cookie without which nobody is signed in.
const accessCookie = "__Host-caq"

// session is who is signed in. If nobody is, the browser is on its way to sign in, and ok
// is false.
func (v *visit) session() (s api.SessionView, ok bool) {
	if _, err := v.r.Cookie(accessCookie); err != nil {
		v.redirect(toSignIn("", v.here()))
		return s, false
	}
	if refused := v.ask(http.MethodGet, "/v1/session", nil, &s); refused != nil {
		v.stop(refused)
		return s, false
	}
	return s, true
}

// here is the page that somebody comes back to after a sign-in on the way.
func (v *visit) here() string {
	switch {
	case v.back != "":
		return v.back
	case v.r.Method != http.MethodPost:
		return returnPath(v.r.URL.RequestURI())
	case strings.HasPrefix(v.r.URL.Path, mePath+"/"):
		return mePath + "?done=" + nothing
	}
	return homePath + "?done=" + nothing
}

// stop answers what no form can mend: that somebody is not signed in (any more), or a fault.
func (v *visit) stop(refused *refusal) {
	switch {
	case refused.Code == people.CodeTokenExpired:
		v.renew(v.here())
	case refused.Status == http.StatusUnauthorized, refused.Code == people.CodeMemberSuspended, refused.Code == "organization_suspended":
		code := refused.Code
		if code == "not_signed_in" {
			code = ""
		}
		v.redirect(toSignIn(code, v.here()))
	case refused.Code == "csrf_token":
		v.refuse(http.StatusForbidden, "Nothing was changed", "The page that sent this form was too old, or it was none of ours. Go back to it, load it again, and do it once more.")
	case refused.Status >= http.StatusInternalServerError:
		v.refuse(refused.Status, "Something went wrong here", "It is not your fault, and nothing that you typed is lost to anybody else. Try again in a moment.")
	default:
		v.wait(refused)
		v.refuse(refused.Status, "That was not possible", sentence(refused))
	}
}

// wait says in the header when it is worth another try.
func (v *visit) wait(refused *refusal) {
	if refused.wait > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(refused.wait/time.Second)))
	}
}

// mendable reports whether it is something of a form's that was refused.
func (r *refusal) mendable() bool {
	switch {
	case r.Code == people.CodeSignInRefused:
		return true
	case r.Status == http.StatusUnauthorized, r.Status >= http.StatusInternalServerError, r.Code == "csrf_token":
		return false
	}
	return true
}

// mend shows a form again, with what is wrong; or stops, if that is nothing of the form's.
func (v *visit) mend(refused *refusal, form func(fault) templ.Component) {
	if !refused.mendable() {
		v.stop(refused)
		return
	}
	v.wait(refused)
	v.show(refused.Status, form(faultOf(refused)))
}

// renew sends a browser whose access token is over to where it gets the next one, and from
// there to a page. The refresh token's cookie does not come with what another site leads to;
// then a page of ours leads there.
func (v *visit) renew(back string) {
	to := "/v1/session/renewal?" + url.Values{"return": {back}}.Encode()
	if v.r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		v.show(http.StatusOK, onwardPage(onward{Title: "One moment", To: to}))
		return
	}
	v.redirect(to)
}

// toSignIn is the page to sign in on, on the way to another one.
func toSignIn(code, back string) string {
	query := url.Values{}
	if code != "" {
		query.Set("error", code)
	}
	if back != "" && back != homePath {
		query.Set("return", back)
	}
	if len(query) == 0 {
		return signInPath
	}
	return signInPath + "?" + query.Encode()
}

// returnPath is a page of this host that somebody wants to go back to; the first one if it is
// anything else. It is the rule of single sign-on, and besides nothing that a server or a
// browser between could take for the name of a host once it is unescaped.
func returnPath(back string) string {
	back, err := sso.CheckReturn(back)
	if err != nil {
		return homePath
	}
	u, err := url.Parse(back)
	if err != nil || strings.ContainsRune(u.Path, '\\') || strings.ContainsFunc(u.Path, unicode.IsControl) {
		return homePath
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return homePath
	}
	return back
}
