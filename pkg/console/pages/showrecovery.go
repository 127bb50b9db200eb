package pages

import (
	"net/http"

	"github.com/a-h/templ"
)

func recoveryLink(f fault) templ.Component {
	return linkPage("Recover your account", "Somebody has sent you a link by which you choose a new password.", "/recovery", f)
}

// showRecovery shows where a recovery's link leads.
func (s *site) showRecovery(v *visit) { v.show(http.StatusOK, recoveryLink(fault{})) }

func (v *visit) recovery(token string) (found recovery, refused *refusal) {
	refused = v.ask(http.MethodPost, "/v1/recovery/lookup", map[string]any{"token": token}, &found)
	return found, refused
}
