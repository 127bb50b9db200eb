package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/account"
	"github.com/cloudarq/cloudarq/pkg/services/account/collect"
)

// full is an account with all contacts, some of which have a phone or a mailbox
// in common.
func full(f *fake.Fake) {
	fake.On(f, func(*sdk.GetContactInformationInput) (*sdk.GetContactInformationOutput, error) {
		return &sdk.GetContactInformationOutput{ContactInformation: &types.ContactInformation{
			FullName: aws.String("Jane Doe"), PhoneNumber: aws.String("+1 206 555-0100"), AddressLine1: aws.String("1 Main Street"),
			City: aws.String("Seattle"), PostalCode: aws.String("98101"), CountryCode: aws.String("US"), StateOrRegion: aws.String("WA"),
		}}, nil
	})
	fake.On(f, func(in *sdk.GetAlternateContactInput) (*sdk.GetAlternateContactOutput, error) {
		c := types.AlternateContact{AlternateContactType: in.AlternateContactType, Title: aws.String("Team")}
		switch in.AlternateContactType {
		case types.AlternateContactTypeSecurity:
			c.Name, c.EmailAddress, c.PhoneNumber = aws.String("Security"), aws.String("Team@example.com"), aws.String("12065550100")
		case types.AlternateContactTypeBilling:
			c.Name, c.EmailAddress, c.PhoneNumber = aws.String("Billing"), aws.String("team@example.com"), aws.String("+1 206 555 0199")
		case types.AlternateContactTypeOperations:
			c.Name, c.EmailAddress, c.PhoneNumber = aws.String("Operations"), aws.String("ops@example.com"), aws.String("+1 206 555 0142")
		}
		return &sdk.GetAlternateContactOutput{AlternateContact: &c}, nil
	})
}

func want() account.Contacts {
	reachable := account.Contact{Name: true, Email: true, Phone: true}
	return account.Contacts{
		Resource:   model.Resource{Ref: model.Ref{ARN: "arn:aws:account::111122223333:account", Account: collecttest.Account, Region: model.Global}},
		Primary:    fact.Known(account.Primary{Name: true, Phone: true, Address: true}),
		Security:   fact.Known(reachable),
		Billing:    fact.Known(reachable),
		Operations: fact.Known(reachable),
		Shared: fact.Known([]account.Shared{
			{One: "PRIMARY", Other: "SECURITY", Part: "phone"},
			{One: "SECURITY", Other: "BILLING", Part: "email"},
		}),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), account.Service())
}

func TestNoAlternateContacts(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.Fail[sdk.GetAlternateContactInput](f, "ResourceNotFoundException")
	c := collecttest.Walk(t, collect.Spec(), f).Resources[0].(account.Contacts)
	for _, contact := range []fact.Of[account.Contact]{c.Security, c.Billing, c.Operations} {
		if filled, gap := contact.Get(); gap != nil || filled.Registered() {
			t.Errorf("%+v, gap %v; want a contact that is known not to be registered", filled, gap)
		}
	}
	if same, gap := c.Shared.Get(); gap != nil || len(same) > 0 {
		t.Errorf("shared: %v, gap %v; want nothing", same, gap)
	}
}

func TestNothingPersonalIsKept(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), f).Resources)
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{"Jane", "555", "example.com", "Main Street", "Seattle"} {
		if strings.Contains(string(data), personal) {
			t.Errorf("the snapshot holds %q: %s", personal, data)
		}
	}
}
