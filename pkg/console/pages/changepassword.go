package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/access/people"
)

// changePassword gives somebody another password, and ends the other sessions.
func (s *site) changePassword(v *visit) {
	refused := v.ask(http.MethodPost, "/v1/me/password", map[string]any{"current": v.field("current"), "new": v.field("password"), "end_tokens": v.field("end_tokens") != ""}, nil)
	switch {
	case refused == nil:
		v.did(mePath, "password")
	case refused.Code == people.CodeWrongPassword:
		v.mendMe(refused, passwordForm, map[string]string{"password": "current"})
	default:
		v.mendMe(refused, passwordForm, map[string]string{"new": "password"})
	}
}
