package pages

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// authorization is what the command on somebody's computer asks for: a code, at a port of the
// loopback interface where it waits (RFC 8252, section 7.3). It names no host.
type authorization struct {
	port             int
	state, challenge string
}

// Both are base64url: the command's state, of which it makes what it will, and the S256
// challenge of its verifier (RFC 7636, section 4.2), which has 43 characters.
var (
	stateForm     = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	portForm      = regexp.MustCompile(`^[1-9][0-9]{3,4}$`)
)

func authorizationOf(form url.Values) (a authorization, ok bool) {
	a = authorization{state: form.Get("state"), challenge: form.Get("challenge")}
	port := form.Get("port")
	a.port, _ = strconv.Atoi(port) // as its form says
	return a, portForm.MatchString(port) && a.port >= 1024 && a.port <= 65535 && stateForm.MatchString(a.state) && challengeForm.MatchString(a.challenge)
}

// path is that of the page which asks.
func (a authorization) path() string {
	return "/authorize?" + url.Values{"port": {number(a.port)}, "state": {a.state}, "challenge": {a.challenge}}.Encode()
}

func (a authorization) host() string { return "http://127.0.0.1:" + number(a.port) }

// answer is where the command waits for an answer.
func (a authorization) answer(name, value string) string {
	return a.host() + "/callback?" + url.Values{name: {value}, "state": {a.state}}.Encode()
}

func (v *visit) noAuthorization() {
	v.refuse(http.StatusBadRequest, "That is no request of the command", "Begin it again with cloudarq login.")
}

// showAuthorization asks whether the command may sign in.
func (s *site) showAuthorization(v *visit) {
	a, ok := authorizationOf(v.r.URL.Query())
	if !ok {
		v.noAuthorization()
		return
	}
	in, ok := v.session()
	if !ok {
		return
	}
	v.w.Header().Set("Content-Security-Policy", contentPolicy(a.host()))
	v.show(http.StatusOK, authorizePage(&in, a))
}
