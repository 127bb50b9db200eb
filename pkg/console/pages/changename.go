package pages

import (
	"net/http"
	"strings"
)

// changeName gives somebody another name.
func (s *site) changeName(v *visit) {
	if refused := v.ask(http.MethodPatch, "/v1/me", map[string]any{"name": strings.TrimSpace(v.field("name"))}, nil); refused != nil {
		v.mendMe(refused, nameForm, nil)
		return
	}
	v.did(mePath, "name")
}
