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

// lookUpRecovery shows whom a link recovers.
func (s *site) lookUpRecovery(v *visit) {
	token := v.token()
	found, refused := v.recovery(token)
	if refused != nil {
		v.mendLink(refused, recoveryLink)
		return
	}
	v.show(http.StatusOK, recoveryPage(token, found, fault{}))
}

func (v *visit) recovery(token string) (found recovery, refused *refusal) {
	refused = v.ask(http.MethodPost, "/v1/recovery/lookup", map[string]any{"token": token}, &found)
	return found, refused
}
