package pages

import "net/http"

// changeEmail gives somebody the address of an invitation to sign in by.
func (s *site) changeEmail(v *visit) {
	if refused := v.ask(http.MethodPost, "/v1/me/email", map[string]any{"token": v.token(), "password": v.field("password")}, nil); refused != nil {
		v.mendMe(refused, emailForm, nil)
		return
	}
	v.did(mePath, "email")
}
