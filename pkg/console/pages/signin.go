package pages

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
)

// maxPassword is the most characters of a field for a password: what the API looks at.
const maxPassword = 1024

// signIn is the first step of a sign-in.
func (s *site) signIn(v *visit) {
	form := signInForm{email: v.field("email"), back: returnPath(v.field("return"))}
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/sign-in", map[string]any{"email": form.email, "password": v.field("password"), "browser": true}, &step)
	if refused != nil {
		v.mend(refused, func(f fault) templ.Component {
			form.fault = f
			return signInPage(form)
		})
		return
	}
	v.next(step, form.back)
}

// next shows what a step of a sign-in leads to.
func (v *visit) next(step api.SignIn, back string) {
	form := stepForm{challenge: step.Challenge, back: back, methods: step.Methods}
	switch step.Next {
	case people.NextSecondFactor:
		v.secondFactor(http.StatusOK, form)
	case people.NextEnrolment:
		v.enrolment(form)
	case people.NextOrganization:
		v.show(http.StatusOK, organizationPage(form, step.Organizations))
	default:
		if len(step.BackupCodes) > 0 {
			v.show(http.StatusOK, backupCodesPage(step.BackupCodes, back))
			return
		}
		v.redirect(back)
	}
}

// again begins a sign-in anew, if a step was refused because it took too long.
func (v *visit) again(refused *refusal, back string) bool {
	if refused.Code != people.CodeChallengeOver {
		return false
	}
	v.redirect(toSignIn(refused.Code, back))
	return true
}

// grouped is a key in groups of four, which are easier to type.
func grouped(key string) string {
	var b strings.Builder
	for i, c := range key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
