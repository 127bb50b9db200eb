package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// setUpApp shows what an authenticator app is set up with. It counts when it is confirmed.
func (s *site) setUpApp(v *visit) {
	var e api.TOTPEnrolment
	if refused := v.ask(http.MethodPost, "/v1/me/totp", map[string]any{"password": v.field("password")}, &e); refused != nil {
		v.mendMe(refused, appForm, nil)
		return
	}
	if in, ok := v.session(); ok {
		v.show(http.StatusOK, appPage(&in, &e, fault{}))
	}
}
