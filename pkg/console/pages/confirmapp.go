package pages

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
)

// confirmApp makes a new app count by its first code, and shows the backup codes.
func (s *site) confirmApp(v *visit) {
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/me/totp/confirmation", map[string]any{"code": v.field("code")}, &step)
	switch {
	case refused == nil:
		v.next(step, mePath+"?done=app")
	case refused.Code == people.CodeNothingToConfirm:
		v.mendMe(refused, appForm, nil)
	default:
		in, ok := v.session()
		if !ok {
			return
		}
		v.mend(refused, func(f fault) templ.Component { return appPage(&in, nil, f) })
	}
}
