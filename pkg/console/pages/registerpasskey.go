package pages

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// registerPasskey keeps the passkey that a browser made. Whose first second factor it is gets
// backup codes.
func (s *site) registerPasskey(v *visit) {
	made := json.RawMessage(v.field("passkey"))
	if !json.Valid(made) { // without a script there is none
		made = json.RawMessage("null")
	}
	var kept struct {
		BackupCodes []string `json:"backup_codes"`
	}
	refused := v.ask(http.MethodPost, "/v1/me/passkeys", map[string]any{
		"challenge": v.field("challenge"), "name": strings.TrimSpace(v.field("name")), "passkey": made,
	}, &kept)
	if refused != nil {
		refused.Errors = nil // its fields are on another page
		v.mendMe(refused, passkeyForm, nil)
		return
	}
	v.next(api.SignIn{BackupCodes: kept.BackupCodes}, mePath+"?done=passkey")
}
