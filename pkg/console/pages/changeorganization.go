package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// changeOrganization goes over to another organization of somebody's.
func (s *site) changeOrganization(v *visit) {
	var step api.SignIn
	if refused := v.ask(http.MethodPost, "/v1/session/organization", map[string]any{"organization": v.field("organization")}, &step); refused != nil {
		v.stop(refused)
		return
	}
	v.next(step, homePath)
}
