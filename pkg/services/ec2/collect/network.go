package collect

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func vpcs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeVpcsPaginator(client, &sdk.DescribeVpcsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeVpcsOutput) []types.Vpc { return o.Vpcs },
		func(r *collect.Reading, v types.Vpc) *ec2.VPC {
			if foreign(s, v.OwnerId) {
				return nil
			}
			return &ec2.VPC{
				Resource: resource(s, "vpc", v.VpcId),
				Detail:   fact.Known(ec2.VPCDetail{State: string(v.State), Default: aws.ToBool(v.IsDefault), Range: aws.ToString(v.CidrBlock)}),
				Idle:     idle(r, s, client, v.VpcId, aws.ToBool(v.IsDefault)),
			}
		})
}

func subnets(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeSubnetsPaginator(client, &sdk.DescribeSubnetsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeSubnetsOutput) []types.Subnet { return o.Subnets },
		func(r *collect.Reading, n types.Subnet) *ec2.Subnet {
			if foreign(s, n.OwnerId) {
				return nil
			}
			return &ec2.Subnet{
				Resource: resource(s, "subnet", n.SubnetId),
				Idle:     idle(r, s, client, n.VpcId, aws.ToBool(n.DefaultForAz)),
				Detail: fact.Known(ec2.SubnetDetail{
					State: string(n.State),
					VPC:   aws.ToString(n.VpcId), Zone: aws.ToString(n.AvailabilityZone), AutoPublic: aws.ToBool(n.MapPublicIpOnLaunch),
				}),
			}
		})
}

func flowLogs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeFlowLogsPaginator(client, &sdk.DescribeFlowLogsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeFlowLogsOutput) []types.FlowLog { return o.FlowLogs },
		func(_ *collect.Reading, l types.FlowLog) *ec2.FlowLog {
			return &ec2.FlowLog{
				Resource: resource(s, "vpc-flow-log", l.FlowLogId),
				Detail: fact.Known(ec2.FlowLogDetail{
					Of:       aws.ToString(l.ResourceId),
					Status:   aws.ToString(l.FlowLogStatus),
					Traffic:  string(l.TrafficType),
					Delivery: aws.ToString(l.DeliverLogsStatus),
					Error:    aws.ToString(l.DeliverLogsErrorMessage),
				}),
			}
		})
}

func routeTables(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	lists := &prefixLists{client: client}
	pages := sdk.NewDescribeRouteTablesPaginator(client, &sdk.DescribeRouteTablesInput{MaxResults: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeRouteTablesOutput) []types.RouteTable { return o.RouteTables },
		func(reading *collect.Reading, t types.RouteTable) *ec2.RouteTable {
			if foreign(s, t.OwnerId) {
				return nil
			}
			var named []string
			d := ec2.RouteTableDetail{VPC: aws.ToString(t.VpcId)}
			for _, r := range t.Routes {
				if r.VpcPeeringConnectionId == nil {
					continue
				}
				peering := aws.ToString(r.VpcPeeringConnectionId)
				if r.DestinationPrefixListId == nil {
					d.Peerings = append(d.Peerings, ec2.PeeringRoute{
						Peering: peering, Range: aws.ToString(cmp.Or(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock)),
					})
					continue
				}
				d.Peerings = append(d.Peerings, ec2.PeeringRoute{Peering: peering, List: *r.DestinationPrefixListId})
				named = append(named, *r.DestinationPrefixListId)
			}
			return &ec2.RouteTable{
				Resource: resource(s, "route-table", t.RouteTableId), Detail: fact.Known(d),
				Lists: lists.behind(reading, named, func(string) bool { return true }),
			}
		})
}

func peerings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeVpcPeeringConnectionsPaginator(client, &sdk.DescribeVpcPeeringConnectionsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeVpcPeeringConnectionsOutput) []types.VpcPeeringConnection {
			return o.VpcPeeringConnections
		},
		func(_ *collect.Reading, p types.VpcPeeringConnection) *ec2.Peering {
			d := ec2.PeeringDetail{Requester: side(p.RequesterVpcInfo), Accepter: side(p.AccepterVpcInfo)}
			if p.Status != nil {
				d.Status = string(p.Status.Code)
			}
			return &ec2.Peering{Resource: resource(s, "vpc-peering-connection", p.VpcPeeringConnectionId), Detail: fact.Known(d)}
		})
}

// side is one peer. AWS tells its ranges only while the peering is active.
func side(v *types.VpcPeeringConnectionVpcInfo) ec2.PeeringSide {
	if v == nil {
		return ec2.PeeringSide{}
	}
	var ranges []string
	ranges = append(ranges, aws.ToString(v.CidrBlock))
	for _, c := range v.CidrBlockSet {
		ranges = append(ranges, aws.ToString(c.CidrBlock))
	}
	for _, c := range v.Ipv6CidrBlockSet {
		ranges = append(ranges, aws.ToString(c.Ipv6CidrBlock))
	}
	return ec2.PeeringSide{VPC: aws.ToString(v.VpcId), Ranges: unique(ranges)}
}

func addresses(ctx context.Context, s *collect.Session) error {
	out, err := sdk.NewFromConfig(s.Config).DescribeAddresses(ctx, &sdk.DescribeAddressesInput{})
	if err != nil {
		return err
	}
	return collect.EachOf(ctx, s, out.Addresses, func(_ *collect.Reading, a types.Address) *ec2.Address {
		return &ec2.Address{
			Resource: resource(s, "elastic-ip", a.AllocationId),
			Detail: fact.Known(ec2.AddressDetail{
				IP: aws.ToString(a.PublicIp), Association: aws.ToString(a.AssociationId), Managed: string(a.ServiceManaged),
			}),
		}
	})
}
