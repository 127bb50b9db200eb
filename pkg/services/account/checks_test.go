package account_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/account"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// contacts is an account whose contacts are complete, changed as a case needs.
func contacts(change func(*account.Contacts)) account.Contacts {
	reachable := account.Contact{Name: true, Email: true, Phone: true}
	c := account.Contacts{
		Resource: model.Resource{Ref: model.Ref{ARN: "arn:aws:account::111122223333:account", Account: "111122223333", Region: model.Global}},
		Primary:  fact.Known(account.Primary{Name: true, Phone: true, Address: true}),
		Security: fact.Known(reachable), Billing: fact.Known(reachable), Operations: fact.Known(reachable),
		Shared: fact.Known[[]account.Shared](nil),
	}
	if change != nil {
		change(&c)
	}
	return c
}

// alternate are the cases of the rule on one alternate contact.
func alternate(of func(*account.Contacts) *fact.Of[account.Contact]) []checktest.Case {
	with := func(contact account.Contact) account.Contacts {
		return contacts(func(c *account.Contacts) { *of(c) = fact.Known(contact) })
	}
	return []checktest.Case{
		{Name: "registered", Resource: contacts(nil), Want: check.Pass},
		{Name: "not registered", Resource: with(account.Contact{}), Want: check.Fail},
		{Name: "no phone number", Resource: with(account.Contact{Name: true, Email: true}), Want: check.Fail},
		{Name: "no email address", Resource: with(account.Contact{Name: true, Phone: true}), Want: check.Fail},
		{Name: "denied", Resource: contacts(func(c *account.Contacts) {
			*of(c) = fact.Missing[account.Contact](fact.Denied, "account:GetAlternateContact")
		}), Want: check.NotAssessed},
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	primary := func(p account.Primary) account.Contacts {
		return contacts(func(c *account.Contacts) { c.Primary = fact.Known(p) })
	}
	none := func() fact.Of[account.Contact] { return fact.Known(account.Contact{}) }
	checktest.Run(t, account.Service(), checktest.Table{
		"account-primary-contact-complete": {
			{Name: "complete", Resource: contacts(nil), Want: check.Pass},
			{Name: "no phone number", Resource: primary(account.Primary{Name: true, Address: true}), Want: check.Fail},
			{Name: "nothing", Resource: primary(account.Primary{}), Want: check.Fail},
		},
		"account-security-contact-registered":   alternate(func(c *account.Contacts) *fact.Of[account.Contact] { return &c.Security }),
		"account-billing-contact-registered":    alternate(func(c *account.Contacts) *fact.Of[account.Contact] { return &c.Billing }),
		"account-operations-contact-registered": alternate(func(c *account.Contacts) *fact.Of[account.Contact] { return &c.Operations }),
		"account-contacts-distinct": {
			{Name: "nothing in common", Resource: contacts(nil), Want: check.Pass},
			{Name: "only one alternate contact", Resource: contacts(func(c *account.Contacts) { c.Billing, c.Operations = none(), none() }), Want: check.Pass},
			{Name: "one phone", Resource: contacts(func(c *account.Contacts) {
				c.Shared = fact.Known([]account.Shared{{One: "PRIMARY", Other: "SECURITY", Part: "phone"}})
			}), Want: check.Fail},
			{Name: "no alternate contacts", Resource: contacts(func(c *account.Contacts) {
				c.Security, c.Billing, c.Operations = none(), none(), none()
			}), Want: check.NotApplicable},
		},
	})
}
