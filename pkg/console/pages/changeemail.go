package pages

import (
	"net/http"
	"strings"
)

// changeEmail gives somebody the address of an invitation to sign in by.
func (s *site) changeEmail(v *visit) {
	if refused := v.ask(http.MethodPost, "/v1/me/email", map[string]any{"token": linkToken(v.field("link")), "password": v.field("password")}, nil); refused != nil {
		v.mendMe(refused, emailForm, map[string]string{"token": "link"})
		return
	}
	v.did(mePath, "email")
}

// linkToken is the token of a one-time link that somebody pasted, as a whole or not.
func linkToken(pasted string) string {
	pasted = strings.TrimSpace(pasted)
	return pasted[strings.LastIndexByte(pasted, '#')+1:]
}
