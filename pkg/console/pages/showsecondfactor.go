package pages

import (
	"encoding/json"
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
)

// secondFactor asks for the second factor, by whatever somebody has of it.
func (v *visit) secondFactor(status int, form stepForm) {
	if form.has(people.MethodPasskey) {
		var ceremony api.PasskeyCeremony
		if refused := v.ask(http.MethodPost, "/v1/sign-in/passkey-options", map[string]any{"challenge": form.challenge}, &ceremony); refused != nil {
			if !v.again(refused, form.back) {
				v.stop(refused)
			}
			return
		}
		form.passkey = &ceremony
	}
	v.show(status, secondFactorPage(form))
}

// methodOf is what a field of the form shows.
var methodOf = map[string]string{"code": people.MethodTOTP, "backup_code": people.MethodBackup}

// showSecondFactor is the step that shows the second factor.
func (s *site) showSecondFactor(v *visit) {
	form := stepForm{challenge: v.field("challenge"), back: returnPath(v.field("return")), methods: v.r.PostForm["method"]}
	in := map[string]any{"challenge": form.challenge}
	field := "code"
	switch {
	case json.Valid([]byte(v.field("passkey"))):
		in["passkey"], field = json.RawMessage(v.field("passkey")), ""
	case v.r.PostForm.Has("backup_code"):
		field = "backup_code"
		fallthrough
	default:
		in[field] = v.field(field)
	}
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/sign-in/second-factor", in, &step)
	if refused == nil {
		v.next(step, form.back)
		return
	}
	if v.again(refused, form.back) {
		return
	}
	if !refused.mendable() {
		v.stop(refused)
		return
	}
	form.fault = fault{field, sentence(refused)}
	v.wait(refused)
	if v.field("enrolment") != "" {
		v.show(refused.Status, enrolmentPage(form, nil))
		return
	}
	if !form.has(methodOf[field]) { // the form had no such field
		form.fault.field = ""
	}
	v.secondFactor(refused.Status, form)
}
