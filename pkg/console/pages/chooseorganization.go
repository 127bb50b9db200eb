package pages

import (
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// chooseOrganization is the step of who belongs to several organizations.
func (s *site) chooseOrganization(v *visit) {
	back := returnPath(v.field("return"))
	var step api.SignIn
	refused := v.ask(http.MethodPost, "/v1/sign-in/organization", map[string]any{"challenge": v.field("challenge"), "organization": v.field("organization")}, &step)
	switch {
	case refused == nil:
		v.next(step, back)
	case !v.again(refused, back):
		v.stop(refused)
	}
}
