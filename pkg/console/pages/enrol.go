package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// enrolment sets up an authenticator app that the organization asks for.
func (v *visit) enrolment(form stepForm) {
	var e api.TOTPEnrolment
	if refused := v.ask(http.MethodPost, "/v1/sign-in/enrolment", map[string]any{"challenge": form.challenge}, &e); refused != nil {
		if !v.again(refused, form.back) {
			v.stop(refused)
		}
		return
	}
	v.show(http.StatusOK, enrolmentPage(form, &e))
}

// enrol begins the step anew, with another key.
func (s *site) enrol(v *visit) {
	v.enrolment(stepForm{challenge: v.field("challenge"), back: returnPath(v.field("return"))})
}
