package pages

import (
	"net/http"
	"strings"
)

// changeEmail gives somebody another address to sign in by.
func (s *site) changeEmail(v *visit) {
	if refused := v.ask(http.MethodPost, "/v1/me/email", map[string]any{"email": strings.TrimSpace(v.field("email")), "password": v.field("password")}, nil); refused != nil {
		v.mendMe(refused, emailForm, nil)
		return
	}
	v.did(mePath, "email")
}
