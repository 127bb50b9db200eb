package pages

import "net/http"

// removeApp takes the authenticator app away.
func (s *site) removeApp(v *visit) {
	if refused := v.ask(http.MethodPost, "/v1/me/totp/removal", map[string]any{"password": v.field("password")}, nil); refused != nil {
		v.mendMe(refused, appForm, nil)
		return
	}
	v.did(mePath, "app-removed")
}
