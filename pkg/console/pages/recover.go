package pages

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
)

// recover gives somebody a new password by a link, and signs in.
func (s *site) recover(v *visit) {
	token := v.token()
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/recovery", map[string]any{"token": token, "password": v.field("password"), "browser": true}, &step)
	if refused == nil {
		v.next(step, homePath)
		return
	}
	found, gone := v.recovery(token)
	if gone != nil {
		v.mendLink(gone, recoveryLink)
		return
	}
	v.mend(refused, func(f fault) templ.Component {
		if refused.Code == people.CodeLinkOver {
			return recoveryLink(f)
		}
		return recoveryPage(token, found, f)
	})
}
