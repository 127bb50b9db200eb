package pages

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"
)

// maxLink is the most characters of a link as it is pasted.
const maxLink = 500

func invitationLink(f fault) templ.Component {
	return linkPage("Accept an invitation", "Somebody has sent you a link that lets you join an organization.", "/invitation", f)
}

// showInvitation shows where an invitation's link leads.
func (s *site) showInvitation(v *visit) { v.show(http.StatusOK, invitationLink(fault{})) }

// token is that of a link which was pasted, as a whole or in part.
func (v *visit) token() string {
	text := strings.TrimSpace(v.field("token"))
	if _, behind, ok := strings.Cut(text, "#"); ok {
		return behind
	}
	return text
}

func (v *visit) invitation(token string) (found invitation, refused *refusal) {
	refused = v.ask(http.MethodPost, "/v1/invitations/lookup", map[string]any{"token": token}, &found)
	return found, refused
}

// mendLink asks for the token again.
func (v *visit) mendLink(refused *refusal, form func(fault) templ.Component) {
	v.mend(refused, func(f fault) templ.Component {
		f.field = "token"
		return form(f)
	})
}
