package pages

import "net/http"

// endSession ends another session of somebody's.
func (s *site) endSession(v *visit) {
	refused := v.ask(http.MethodDelete, "/v1/me/sessions/"+record(v.field("session")), nil, nil)
	if refused != nil && refused.Status != http.StatusNotFound { // it has ended by itself
		v.stop(refused)
		return
	}
	v.did(homePath, "sessions")
}
