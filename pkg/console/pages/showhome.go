package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// told is what a page says of what was done on the way to it, by the word in its URL.
var told = map[string]string{
	"sessions":     "The sessions were ended.",
	"name":         "Your name was changed.",
	"email":        "Your e-mail address was changed. Sign in with it from now on.",
	"password":     "Your password was changed, and all other sessions were ended.",
	"app":          "Your authenticator app counts from now on.",
	"app-removed":  "The authenticator app was removed, and all other sessions were ended.",
	"passkey":      "The passkey counts from now on.",
	"passkey-gone": "The passkey was removed, and all other sessions were ended.",
}

// nothing is the word that nothing was done, since the page of the form had been open for
// longer than an access token is good.
const nothing = "nothing"

// did leads to a page that says what was done.
func (v *visit) did(at, what string) { v.redirect(at + "?done=" + what) }

// told is what the address says was done; or that nothing was.
func (v *visit) told() (string, fault) {
	what := v.r.URL.Query().Get("done")
	if what == nothing {
		return "", fault{text: "The page had been open for long, so nothing was changed. Do it once more."}
	}
	return told[what], fault{}
}

// showHome shows who is signed in, and where else.
func (s *site) showHome(v *visit) {
	in, ok := v.session()
	if !ok {
		return
	}
	var organization model.Organization
	var list struct {
		Sessions []model.Session `json:"sessions"`
	}
	refused := v.ask(http.MethodGet, "/v1/organization", nil, &organization)
	if refused == nil {
		refused = v.ask(http.MethodGet, "/v1/me/sessions", nil, &list)
	}
	if refused != nil {
		v.stop(refused)
		return
	}
	text, f := v.told()
	v.show(http.StatusOK, homePage(&in, organization, list.Sessions, text, f))
}
