package pages

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// showMe shows what somebody can change of the own account.
func (s *site) showMe(v *visit) {
	if in, keys, ok := v.account(); ok {
		text, f := v.told()
		v.show(http.StatusOK, mePage(&in, keys, text, f))
	}
}

// account is who is signed in, with the passkeys; ok is false if something else was answered.
func (v *visit) account() (in api.SessionView, keys []model.Passkey, ok bool) {
	if in, ok = v.session(); !ok {
		return in, nil, false
	}
	var list struct {
		Passkeys []model.Passkey `json:"passkeys"`
	}
	if refused := v.ask(http.MethodGet, "/v1/me/passkeys", nil, &list); refused != nil {
		v.stop(refused)
		return in, nil, false
	}
	return in, list.Passkeys, true
}

// mendMe shows the page again, with what is wrong in one of its forms.
func (v *visit) mendMe(refused *refusal, form string, fields map[string]string) {
	if !refused.mendable() {
		v.stop(refused)
		return
	}
	in, keys, ok := v.account()
	if !ok {
		return
	}
	v.mend(refused, func(f fault) templ.Component {
		if other := fields[f.field]; other != "" {
			f.field = other
		}
		if f.field != "" {
			f.field = form + "-" + f.field
		}
		return mePage(&in, keys, "", f)
	})
}
