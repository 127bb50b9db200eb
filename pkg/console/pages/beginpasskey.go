package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// beginPasskey asks the browser for a new passkey.
func (s *site) beginPasskey(v *visit) {
	var c api.PasskeyCeremony
	if refused := v.ask(http.MethodPost, "/v1/me/passkeys/options", map[string]any{"password": v.field("password")}, &c); refused != nil {
		v.mendMe(refused, passkeyForm, nil)
		return
	}
	if in, ok := v.session(); ok {
		v.show(http.StatusOK, newPasskeyPage(&in, c))
	}
}
