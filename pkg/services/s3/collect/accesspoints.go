package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// accessPoints lists those of each region that is audited: no region knows of others'.
func accessPoints(ctx context.Context, s *collect.Session) error {
	var regions errgroup.Group
	for _, region := range s.Audited {
		regions.Go(func() error {
			there := *s
			there.Region, there.Config = region, s.Config.Copy()
			there.Config.Region = region
			return accessPointsOf(ctx, &there)
		})
	}
	return regions.Wait()
}

func accessPointsOf(ctx context.Context, s *collect.Session) error {
	client := s3control.NewFromConfig(s.Config)
	account := aws.String(s.Account)
	pages := s3control.NewListAccessPointsPaginator(client, &s3control.ListAccessPointsInput{AccountId: account, MaxResults: 1000})
	return collect.Each(ctx, s, pages,
		func(o *s3control.ListAccessPointsOutput) []types.AccessPoint {
			return collect.RequiredList("AccessPointList", o.AccessPointList)
		},
		func(r *collect.Reading, found types.AccessPoint) *s3.AccessPoint {
			name := aws.String(collect.RequiredText("Name", found.Name))
			p := &s3.AccessPoint{Resource: s.Resource(s.ARN("s3", "accesspoint/"+*name), *name)}
			collect.Into(r, &p.PublicAccessBlock, client.GetAccessPoint, &s3control.GetAccessPointInput{AccountId: account, Name: name},
				func(o *s3control.GetAccessPointOutput) s3.PublicAccessBlock {
					block := collect.Required("PublicAccessBlockConfiguration", o.PublicAccessBlockConfiguration)
					return controlBlock(&block)
				})
			collect.Into(r, &p.Policy, client.GetAccessPointPolicy, &s3control.GetAccessPointPolicyInput{AccountId: account, Name: name},
				func(o *s3control.GetAccessPointPolicyOutput) string {
					return s.Policy(collect.RequiredText("Policy", o.Policy))
				}, "NoSuchAccessPointPolicy")
			return p
		})
}
