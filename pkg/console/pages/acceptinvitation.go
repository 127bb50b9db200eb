package pages

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
)

// acceptInvitation makes somebody a member, who is new or shows that he is not.
func (s *site) acceptInvitation(v *visit) {
	token, name, form := v.token(), v.field("name"), v.field("who")
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/invitations/acceptance", map[string]any{
		"token": token, "name": strings.TrimSpace(name), "password": v.field("password"), "browser": true,
	}, &step)
	if refused == nil {
		v.next(step, homePath)
		return
	}
	found, gone := v.invitation(token)
	if gone != nil {
		v.mendLink(gone, invitationLink)
		return
	}
	v.mend(refused, func(f fault) templ.Component {
		switch refused.Code {
		case people.CodeAddressOfAnother:
			form = hasForm
			f = fault{"password", "There is an account with this e-mail address, and its password is another one. If the account is not yours, whoever operates this installation can give it another address."}
		case people.CodeLinkOver:
			return invitationLink(f)
		}
		if form != hasForm {
			form = newForm
		}
		if f.field != "" {
			f.field = form + "-" + f.field
		}
		return invitationPage(token, found, name, form, f)
	})
}
