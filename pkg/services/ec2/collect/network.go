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
				Idle:     idle(r, s, client, v.VpcId, aws.ToBool(v.IsDefault)),
				Detail: collect.From(r, v, func(v types.Vpc) ec2.VPCDetail {
					return ec2.VPCDetail{State: string(v.State)}
				}),
			}
		})
}

func subnets(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeSubnetsPaginator(client, &sdk.DescribeSubnetsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeSubnetsOutput) []types.Subnet {
		return collect.RequiredList("Subnets", o.Subnets)
	},
		func(r *collect.Reading, n types.Subnet) *ec2.Subnet {
			if foreign(s, n.OwnerId) {
				return nil
			}
			return &ec2.Subnet{
				Resource: resource(s, "subnet", n.SubnetId),
				Idle:     idle(r, s, client, n.VpcId, aws.ToBool(n.DefaultForAz)),
				Detail: collect.From(r, n, func(n types.Subnet) ec2.SubnetDetail {
					return ec2.SubnetDetail{
						State:      string(n.State),
						VPC:        identifier("vpc", n.VpcId),
						Zone:       collect.RequiredText("AvailabilityZone", n.AvailabilityZone),
						AutoPublic: collect.Required("MapPublicIpOnLaunch", n.MapPublicIpOnLaunch),
					}
				}),
			}
		})
}

func flowLogs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeFlowLogsPaginator(client, &sdk.DescribeFlowLogsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeFlowLogsOutput) []types.FlowLog {
		return collect.RequiredList("FlowLogs", o.FlowLogs)
	},
		func(r *collect.Reading, l types.FlowLog) *ec2.FlowLog {
			return &ec2.FlowLog{
				Resource: resource(s, "vpc-flow-log", l.FlowLogId),
				Detail: collect.From(r, l, func(l types.FlowLog) ec2.FlowLogDetail {
					return ec2.FlowLogDetail{
						Of:       collect.RequiredText("ResourceId", l.ResourceId),
						Status:   collect.RequiredText("FlowLogStatus", l.FlowLogStatus),
						Traffic:  string(l.TrafficType), // a transit gateway's log has none
						Delivery: aws.ToString(l.DeliverLogsStatus),
						Error:    aws.ToString(l.DeliverLogsErrorMessage),
					}
				}),
			}
		})
}

func routeTables(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	lists := &prefixLists{client: client}
	pages := sdk.NewDescribeRouteTablesPaginator(client, &sdk.DescribeRouteTablesInput{MaxResults: aws.Int32(100)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeRouteTablesOutput) []types.RouteTable {
			return collect.RequiredList("RouteTables", o.RouteTables)
		},
		func(r *collect.Reading, t types.RouteTable) *ec2.RouteTable {
			if foreign(s, t.OwnerId) {
				return nil
			}
			found := &ec2.RouteTable{Resource: resource(s, "route-table", t.RouteTableId), Detail: collect.From(r, t, routeTable)}
			var named []string
			d, gap := found.Detail.Get()
			if gap != nil {
				found.Lists = fact.Unknown[map[string][]string](*gap)
				return found
			}
			for _, route := range d.Peerings {
				if route.List != "" {
					named = append(named, route.List)
				}
			}
			found.Lists = lists.behind(r, named, func(string) bool { return true })
			return found
		})
}

// routeTable understands where each route leads and what leads there, or nothing.
func routeTable(t types.RouteTable) ec2.RouteTableDetail {
	d := ec2.RouteTableDetail{VPC: identifier("vpc", t.VpcId)}
	for _, r := range collect.RequiredList("Routes", t.Routes) {
		list, to := aws.ToString(r.DestinationPrefixListId), ""
		if list == "" {
			to = collect.Prefix("destination of a route", cmp.Or(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock))
		}
		collect.RequiredText("target of a route", cmp.Or(r.VpcPeeringConnectionId, r.GatewayId, r.NatGatewayId, r.TransitGatewayId, r.NetworkInterfaceId,
			r.InstanceId, r.EgressOnlyInternetGatewayId, r.CarrierGatewayId, r.LocalGatewayId, r.CoreNetworkArn, r.OdbNetworkArn))
		if r.VpcPeeringConnectionId != nil {
			d.Peerings = append(d.Peerings, ec2.PeeringRoute{Peering: identifier("vpc-peering-connection", r.VpcPeeringConnectionId), Range: to, List: list})
		}
	}
	return d
}

func peerings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeVpcPeeringConnectionsPaginator(client, &sdk.DescribeVpcPeeringConnectionsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeVpcPeeringConnectionsOutput) []types.VpcPeeringConnection {
			return o.VpcPeeringConnections
		},
		func(r *collect.Reading, p types.VpcPeeringConnection) *ec2.Peering {
			return &ec2.Peering{
				Resource: resource(s, "vpc-peering-connection", p.VpcPeeringConnectionId),
				Detail: collect.From(r, p, func(p types.VpcPeeringConnection) ec2.PeeringDetail {
					return ec2.PeeringDetail{
						Status:    string(collect.RequiredWord("Status", collect.Required("Status", p.Status).Code)),
						Requester: side(collect.Required("RequesterVpcInfo", p.RequesterVpcInfo)),
						Accepter:  side(collect.Required("AccepterVpcInfo", p.AccepterVpcInfo)),
					}
				}),
			}
		})
}

// side is one peer. AWS tells its ranges only while the peering is active.
func side(v types.VpcPeeringConnectionVpcInfo) ec2.PeeringSide {
	var ranges []string
	if v.CidrBlock != nil {
		ranges = append(ranges, collect.Prefix("CidrBlock", v.CidrBlock))
	}
	for _, c := range v.CidrBlockSet {
		ranges = append(ranges, collect.Prefix("CidrBlock", c.CidrBlock))
	}
	for _, c := range v.Ipv6CidrBlockSet {
		ranges = append(ranges, collect.Prefix("Ipv6CidrBlock", c.Ipv6CidrBlock))
	}
	return ec2.PeeringSide{VPC: identifier("vpc", v.VpcId), Ranges: unique(ranges)}
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
