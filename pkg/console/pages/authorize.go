package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// authorize hands a code over to the command, or says that it gets none.
func (s *site) authorize(v *visit) {
	a, ok := authorizationOf(v.r.PostForm)
	switch {
	case !ok:
		v.noAuthorization()
		return
	case v.field("answer") != "allow":
		v.redirect(a.answer("error", "refused"))
		return
	}
	v.back = a.path()
	var code api.Handover
	if refused := v.ask(http.MethodPost, "/v1/session/handover", map[string]any{"challenge": a.challenge}, &code); refused != nil {
		v.stop(refused)
		return
	}
	v.redirect(a.answer("code", code.Code))
}
