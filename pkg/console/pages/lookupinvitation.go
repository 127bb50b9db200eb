package pages

import "net/http"

// lookUpInvitation shows what a link invites to.
func (s *site) lookUpInvitation(v *visit) {
	token := v.token()
	found, refused := v.invitation(token)
	if refused != nil {
		v.mendLink(refused, invitationLink)
		return
	}
	v.show(http.StatusOK, invitationPage(token, found, "", newForm, fault{}))
}
