package pages

import (
	"net/http"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// organization is an id of an organization, if a text is one.
func organization(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if !model.IsOrganizationID(text) {
		return ""
	}
	return text
}

// singleSignOn leads to an organization's provider. It is a page and no redirect, because
// browsers let no form lead to another site that its page does not name.
func (s *site) singleSignOn(v *visit) {
	form := signInForm{organization: organization(v.field("organization")), back: returnPath(v.field("return"))}
	if form.organization == "" {
		form.fault = fault{"organization", "That is no id of an organization. It has small letters, digits and hyphens."}
		v.show(http.StatusUnprocessableEntity, signInPage(form))
		return
	}
	v.show(http.StatusOK, onwardPage(onward{Title: "Single sign-on", To: form.start()}))
}
