package pages

import "net/http"

// removePasskey takes a passkey away.
func (s *site) removePasskey(v *visit) {
	path := "/v1/me/passkeys/" + record(v.field("passkey")) + "/removal"
	if refused := v.ask(http.MethodPost, path, map[string]any{"password": v.field("password")}, nil); refused != nil {
		v.mendMe(refused, passkeyForm, nil)
		return
	}
	v.did(mePath, "passkey-gone")
}
