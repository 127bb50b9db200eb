package pages

import "net/http"

// endOtherSessions ends all but the one that asks.
func (s *site) endOtherSessions(v *visit) {
	if refused := v.ask(http.MethodDelete, "/v1/me/sessions", nil, nil); refused != nil {
		v.stop(refused)
		return
	}
	v.did(homePath, "sessions")
}
