package pages

import "net/http"

// lookUpRecovery shows whom a link recovers.
func (s *site) lookUpRecovery(v *visit) {
	token := v.token()
	found, refused := v.recovery(token)
	if refused != nil {
		v.mendLink(refused, recoveryLink)
		return
	}
	v.show(http.StatusOK, recoveryPage(token, found, fault{}))
}
