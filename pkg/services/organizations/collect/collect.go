// Package collect reads an account's membership in AWS Organizations.
package collect

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
)

// Spec is how Organizations is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "organizations",
		Global:  true,
		Walks: []collect.Walk{{
			Kinds:      []string{organizations.Membership{}.Kind()},
			Operations: []string{"Organizations.DescribeOrganization"},
			Run:        membership,
		}},
	}
}

func membership(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	s.Emit(organizations.Membership{
		Resource: s.Resource(s.ARN("organizations", "membership"), s.Account),
		Organization: collect.Get(collect.NewReading(ctx, s), client.DescribeOrganization, &sdk.DescribeOrganizationInput{}, organization,
			"AWSOrganizationsNotInUseException"),
	})
	return nil
}

func organization(o *sdk.DescribeOrganizationOutput) organizations.Organization {
	return organizations.Organization{
		ID:       *o.Organization.Id,
		Features: string(o.Organization.FeatureSet),
	}
}
