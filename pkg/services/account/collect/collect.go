// Package collect reads the contacts of an AWS account.
package collect

import (
	"context"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/account"
)

// Spec is how Account Management is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "account",
		Global:  true,
		Walks: []collect.Walk{{
			Kinds:      []string{account.Contacts{}.Kind()},
			Operations: []string{"Account.GetContactInformation", "Account.GetAlternateContact"},
			Run:        contacts,
		}},
	}
}

// person is a contact as AWS gives it. It stays within this package: only what
// is filled in, and what two contacts share, goes into the snapshot.
type person struct {
	role               string
	name, email, phone string
	address            bool
}

func contacts(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	var primary, security, billing, operations fact.Of[person]
	collect.Into(r, &primary, client.GetContactInformation, &sdk.GetContactInformationInput{}, primaryContact)
	alternate := func(to *fact.Of[person], kind types.AlternateContactType) {
		collect.Into(r, to, client.GetAlternateContact, &sdk.GetAlternateContactInput{AlternateContactType: kind}, alternateContact,
			"ResourceNotFoundException")
	}
	alternate(&security, types.AlternateContactTypeSecurity)
	alternate(&billing, types.AlternateContactTypeBilling)
	alternate(&operations, types.AlternateContactTypeOperations)
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(account.Contacts{
		Resource:   s.Resource(s.ARN("account", "account"), ""),
		Primary:    fact.Map(primary, filledPrimary),
		Security:   fact.Map(security, filled),
		Billing:    fact.Map(billing, filled),
		Operations: fact.Map(operations, filled),
		Shared:     shared(primary, security, billing, operations),
	})
	return nil
}

func primaryContact(o *sdk.GetContactInformationOutput) person {
	c := o.ContactInformation
	return person{
		role: "PRIMARY", name: aws.ToString(c.FullName), phone: aws.ToString(c.PhoneNumber),
		address: aws.ToString(c.AddressLine1) != "" && aws.ToString(c.City) != "" && aws.ToString(c.PostalCode) != "" && aws.ToString(c.CountryCode) != "",
	}
}

func alternateContact(o *sdk.GetAlternateContactOutput) person {
	c := o.AlternateContact
	return person{
		role: string(c.AlternateContactType),
		name: aws.ToString(c.Name), email: aws.ToString(c.EmailAddress), phone: aws.ToString(c.PhoneNumber),
	}
}

func filledPrimary(p person) account.Primary {
	return account.Primary{Name: p.name != "", Phone: p.phone != "", Address: p.address}
}

func filled(p person) account.Contact {
	return account.Contact{Name: p.name != "", Email: p.email != "", Phone: p.phone != ""}
}

// shared tells what any two of the contacts have in common; it is unknown
// unless all of them are known.
func shared(contacts ...fact.Of[person]) fact.Of[[]account.Shared] {
	var found []account.Shared
	var before []person
	for _, contact := range contacts {
		p, gap := contact.Get()
		if gap != nil {
			return fact.Unknown[[]account.Shared](*gap)
		}
		for _, other := range before {
			for _, part := range []struct{ name, one, other string }{
				{"name", folded(other.name), folded(p.name)},
				{"email", folded(other.email), folded(p.email)},
				{"phone", digits(other.phone), digits(p.phone)},
			} {
				if part.one != "" && part.one == part.other {
					found = append(found, account.Shared{One: other.role, Other: p.role, Part: part.name})
				}
			}
		}
		before = append(before, p)
	}
	return fact.Known(found)
}

func folded(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, phone)
}
