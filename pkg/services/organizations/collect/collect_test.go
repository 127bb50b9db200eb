package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
	"github.com/cloudarq/cloudarq/pkg/services/organizations/collect"
)

func full(f *fake.Fake) {
	fake.On(f, func(*sdk.DescribeOrganizationInput) (*sdk.DescribeOrganizationOutput, error) {
		return &sdk.DescribeOrganizationOutput{Organization: &types.Organization{
			Arn: aws.String("arn:aws:organizations::999988887777:organization/o-abcde12345"), Id: aws.String("o-abcde12345"),
			FeatureSet: types.OrganizationFeatureSetAll, MasterAccountId: aws.String("999988887777"),
			MasterAccountArn: aws.String("arn:aws:organizations::999988887777:account/o-abcde12345/999988887777"),
		}}, nil
	})
}

func membership(o organizations.Organization) organizations.Membership {
	return organizations.Membership{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:organizations::111122223333:membership", Account: collecttest.Account, Region: model.Global, Name: collecttest.Account,
		}},
		Organization: fact.Known(o),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		membership(organizations.Organization{ID: "o-abcde12345", Management: "999988887777", Features: "ALL"}),
	})
}

func TestAlone(t *testing.T) {
	t.Parallel()
	f := fake.New()
	fake.Fail[sdk.DescribeOrganizationInput](f, "AWSOrganizationsNotInUseException")
	m := collecttest.Walk(t, collect.Spec(), f).Resources[0].(organizations.Membership)
	if o, gap := m.Organization.Get(); gap != nil || o.ID != "" {
		t.Errorf("%+v, gap %v; want an account known to be in no organization", o, gap)
	}
}
