package pages

import "net/http"

// signedOut is the code of the page that somebody comes to who signed out.
const signedOut = "signed_out"

// signOut ends the session.
func (s *site) signOut(v *visit) {
	if refused := v.ask(http.MethodDelete, "/v1/session", nil, nil); refused != nil {
		v.stop(refused)
		return
	}
	v.redirect(toSignIn(signedOut, ""))
}
