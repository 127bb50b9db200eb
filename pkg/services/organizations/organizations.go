// Package organizations knows AWS Organizations from the view of one account:
// whether it belongs to an organization, and what is right of that.
package organizations

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Organizations.
func Service() check.Service {
	return check.Service{
		Name:  "organizations",
		Title: "AWS Organizations",
		Kinds: []check.Kind{check.KindOf[Membership]().Stateless("a setting of the account")},
		Rules: rules(),
		Texts: texts,
	}
}

// Membership is the account's place in an organization. Every account has one,
// if only to say that it stands alone.
type Membership struct {
	model.Resource
	// Organization is empty for an account that is in none.
	Organization fact.Of[Organization] `json:"organization"`
}

// Kind implements check.Resource.
func (Membership) Kind() string { return "AWS::Organizations::Membership" }

// Organization is what any of its members can see.
type Organization struct {
	ID       string `json:"id"`       // o-…
	Features string `json:"features"` // ALL or CONSOLIDATED_BILLING
}
