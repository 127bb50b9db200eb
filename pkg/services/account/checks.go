package account

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("account-primary-contact-complete", model.Medium, primaryComplete),
		check.For("account-security-contact-registered", model.Medium,
			registered("security", func(c Contacts) fact.Of[Contact] { return c.Security })),
		check.For("account-billing-contact-registered", model.Low,
			registered("billing", func(c Contacts) fact.Of[Contact] { return c.Billing })),
		check.For("account-operations-contact-registered", model.Low,
			registered("operations", func(c Contacts) fact.Of[Contact] { return c.Operations })),
		check.For("account-contacts-distinct", model.Low, distinct),
	}
}

func primaryComplete(e *check.Evidence, c Contacts) check.Verdict {
	p := check.Read(e, c.Primary)
	missing := absent(part{"name", p.Name}, part{"phone number", p.Phone}, part{"address", p.Address})
	return check.Must(missing == "", "name, phone number and address are filled in", "the primary contact lacks "+missing)
}

// registered is the rule that an alternate contact can be reached by mail and
// by phone.
func registered(name string, of func(Contacts) fact.Of[Contact]) func(*check.Evidence, Contacts) check.Verdict {
	return func(e *check.Evidence, c Contacts) check.Verdict {
		contact := check.Read(e, of(c))
		if !contact.Registered() {
			return check.Failed("no " + name + " contact is registered")
		}
		missing := absent(part{"email address", contact.Email}, part{"phone number", contact.Phone})
		return check.Must(missing == "", "the "+name+" contact is registered", "the "+name+" contact lacks "+missing)
	}
}

// part is a part of a contact and whether it is filled in.
type part struct {
	name   string
	filled bool
}

func absent(parts ...part) string {
	var missing []string
	for _, p := range parts {
		if !p.filled {
			missing = append(missing, p.name)
		}
	}
	return strings.Join(missing, ", ")
}

func distinct(e *check.Evidence, c Contacts) check.Verdict {
	some := false
	for _, contact := range []fact.Of[Contact]{c.Security, c.Billing, c.Operations} {
		some = check.Read(e, contact).Registered() || some
	}
	if !some {
		return check.Inapplicable("no alternate contact is registered")
	}
	for _, s := range check.Read(e, c.Shared) {
		return check.Failed(fmt.Sprintf("the %s and %s contacts have the same %s", strings.ToLower(s.One), strings.ToLower(s.Other), s.Part))
	}
	return check.Passed("the contacts have nothing in common")
}
