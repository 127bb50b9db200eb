package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// idle is whether a resource belongs to the region's default VPC, as AWS makes it, and
// nothing is in that VPC. made says that AWS made the resource itself.
func idle(r *collect.Reading, s *collect.Session, client *sdk.Client, vpc *string, made bool) fact.Of[bool] {
	if !made {
		return fact.Known(false)
	}
	return fact.Map(idleVPC(r, s, client), func(id string) bool { return id != "" && id == aws.ToString(vpc) })
}

// idleVPC is the region's default VPC if it holds no network interface, else empty.
// All that a VPC can serve has one. It is found out once in a region.
func idleVPC(r *collect.Reading, s *collect.Session, client *sdk.Client) fact.Of[string] {
	return collect.Ask(r, func(ctx context.Context) (string, error) {
		return collect.Once(s, "idle default VPC", func() (string, error) {
			vpcs, err := client.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: filter("is-default", "true")})
			if err != nil || len(collect.RequiredList("Vpcs", vpcs.Vpcs)) == 0 {
				return "", err
			}
			id := collect.RequiredText("VpcId", vpcs.Vpcs[0].VpcId)
			used, err := client.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{Filters: filter("vpc-id", id), MaxResults: aws.Int32(5)})
			if err != nil || len(collect.RequiredList("NetworkInterfaces", used.NetworkInterfaces)) > 0 || aws.ToString(used.NextToken) != "" {
				return "", err
			}
			return id, nil
		})
	})
}

func filter(name, value string) []types.Filter {
	return []types.Filter{{Name: &name, Values: []string{value}}}
}
