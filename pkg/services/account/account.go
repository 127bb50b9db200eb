// Package account knows AWS Account Management: whom AWS can reach about an
// account, and what is right of that. It keeps no name, address or number.
package account

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Account Management.
func Service() check.Service {
	return check.Service{
		Name:  "account",
		Title: "AWS Account Management",
		Kinds: []check.Kind{check.KindOf[Contacts]().Stateless("a setting of the account")},
		Rules: rules(),
		Texts: texts,
	}
}

// Contacts is the people of an account that AWS writes to or calls, reduced to
// what is filled in.
type Contacts struct {
	model.Resource
	Primary    fact.Of[Primary] `json:"primary"`
	Security   fact.Of[Contact] `json:"security"`
	Billing    fact.Of[Contact] `json:"billing"`
	Operations fact.Of[Contact] `json:"operations"`
	// Shared is what two of the contacts have in common.
	Shared fact.Of[[]Shared] `json:"shared"`
}

// Kind implements check.Resource.
func (Contacts) Kind() string { return "AWS::Account::Contacts" }

// Primary is which parts of the primary contact are filled in.
type Primary struct {
	Name    bool `json:"name"`
	Phone   bool `json:"phone"`
	Address bool `json:"address"` // street, city, postal code and country
}

// Contact is which parts of an alternate contact are filled in; the zero value
// is a contact that is not registered.
type Contact struct {
	Name  bool `json:"name"`
	Email bool `json:"email"`
	Phone bool `json:"phone"`
}

// Registered reports whether there is such a contact.
func (c Contact) Registered() bool { return c != Contact{} }

// Shared is a part that two contacts have in common.
type Shared struct {
	One   string `json:"one"` // PRIMARY, SECURITY, BILLING, OPERATIONS
	Other string `json:"other"`
	Part  string `json:"part"` // name, email, phone
}
