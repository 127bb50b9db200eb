package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// zone reads what policies name without saying whose it is, and belongs to the account.
func zone(ctx context.Context, s *collect.Session) error {
	r := collect.NewReading(ctx, s)
	z := policyrule.Zone{Resource: s.Resource(s.ARN("account", "zone"), s.Account), Trusted: fact.Known(s.Trusted)}
	collect.Into(r, &z.Organization, organizations.NewFromConfig(s.Config).DescribeOrganization, &organizations.DescribeOrganizationInput{},
		func(o *organizations.DescribeOrganizationOutput) string {
			return collect.RequiredText("Organization.Id", o.Organization.Id)
		}, "AWSOrganizationsNotInUseException")
	r.Do(func(context.Context) {
		z.Buckets = collect.Ask(r, func(ctx context.Context) ([]string, error) { return buckets(ctx, s) })
	})
	r.Do(func(context.Context) {
		z.OriginAccessIdentities = collect.Ask(r, func(ctx context.Context) ([]policyrule.OriginAccessIdentity, error) { return identities(ctx, s) })
	})
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(z)
	return nil
}

func buckets(ctx context.Context, s *collect.Session) ([]string, error) {
	pages := s3.NewListBucketsPaginator(s3.NewFromConfig(s.Config), &s3.ListBucketsInput{MaxBuckets: aws.Int32(10_000)})
	return collect.Pages(ctx, pages, func(o *s3.ListBucketsOutput) []string {
		names := make([]string, len(o.Buckets))
		for i, b := range o.Buckets {
			names[i] = collect.RequiredText("Name", b.Name)
		}
		return names
	})
}

func identities(ctx context.Context, s *collect.Session) ([]policyrule.OriginAccessIdentity, error) {
	pages := cloudfront.NewListCloudFrontOriginAccessIdentitiesPaginator(cloudfront.NewFromConfig(s.Config),
		&cloudfront.ListCloudFrontOriginAccessIdentitiesInput{MaxItems: aws.Int32(100)})
	listed, err := collect.Pages(ctx, pages, func(o *cloudfront.ListCloudFrontOriginAccessIdentitiesOutput) []types.CloudFrontOriginAccessIdentitySummary {
		return o.CloudFrontOriginAccessIdentityList.Items
	})
	if err != nil {
		return nil, err
	}
	var all []policyrule.OriginAccessIdentity
	for _, i := range listed {
		all = append(all, policyrule.OriginAccessIdentity{ID: collect.RequiredText("Id", i.Id), CanonicalUser: collect.RequiredText("S3CanonicalUserId", i.S3CanonicalUserId)})
	}
	return all, nil
}
