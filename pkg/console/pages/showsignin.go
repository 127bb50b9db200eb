package pages

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
)

// showSignIn shows where people sign in. Who is signed in goes on.
func (s *site) showSignIn(v *visit) {
	query := v.r.URL.Query()
	back, code := returnPath(query.Get("return")), query.Get("error")
	if code == people.CodeRefreshRaced { // another tab was first: its cookies are here in a moment
		v.show(http.StatusOK, onwardPage(onward{Title: "One moment", To: back, Seconds: 1}))
		return
	}
	if _, err := v.r.Cookie(accessCookie); err == nil && code == "" {
		switch refused := v.ask(http.MethodGet, "/v1/session", nil, nil); {
		case refused == nil:
			v.redirect(back)
			return
		case refused.Code == people.CodeTokenExpired:
			v.renew(back)
			return
		}
	}
	form := signInForm{organization: organization(query.Get("organization")), back: back}
	if code == signedOut {
		form.done = sentences[code]
	} else {
		form.fault.text = ofCode(code, waiting(query.Get("wait")))
	}
	v.show(http.StatusOK, signInPage(form))
}

// waiting is how long a URL says that somebody waits: a day at most, as limits go.
func waiting(seconds string) time.Duration {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 || n > 24*60*60 {
		return 0
	}
	return time.Duration(n) * time.Second
}
