package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// renewBackupCodes makes new backup codes, and shows them once.
func (s *site) renewBackupCodes(v *visit) {
	var step api.SignIn
	if refused := v.ask(http.MethodPost, "/v1/me/backup-codes", map[string]any{"password": v.field("password")}, &step); refused != nil {
		v.mendMe(refused, codesForm, nil)
		return
	}
	v.next(step, mePath)
}
