package collect_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func fullNetwork(f *fake.Fake) {
	fake.On(f, func(in *sdk.DescribeVpcsInput) (*sdk.DescribeVpcsOutput, error) {
		if in.NextToken != nil {
			return &sdk.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-2"), OwnerId: stranger, IsDefault: aws.Bool(false)}}}, nil
		}
		out := &sdk.DescribeVpcsOutput{NextToken: more, Vpcs: []types.Vpc{
			{State: types.VpcStateAvailable, VpcId: aws.String("vpc-1"), OwnerId: owner, IsDefault: aws.Bool(true), CidrBlock: aws.String("172.31.0.0/16")},
		}}
		if len(in.Filters) > 0 { // the default one is asked for
			out.NextToken = nil
		}
		return out, nil
	})
	fake.OnPages[sdk.DescribeSubnetsInput](f,
		&sdk.DescribeSubnetsOutput{NextToken: more, Subnets: []types.Subnet{{
			State: types.SubnetStateAvailable, SubnetId: aws.String("subnet-1"), VpcId: aws.String("vpc-1"), OwnerId: owner, DefaultForAz: aws.Bool(true),
			AvailabilityZone: aws.String("eu-west-1a"), MapPublicIpOnLaunch: aws.Bool(true),
		}}},
		&sdk.DescribeSubnetsOutput{Subnets: []types.Subnet{{SubnetId: aws.String("subnet-2"), OwnerId: stranger}}})
	fake.OnPages[sdk.DescribeFlowLogsInput](f,
		&sdk.DescribeFlowLogsOutput{NextToken: more, FlowLogs: []types.FlowLog{{
			FlowLogId: aws.String("fl-1"), ResourceId: aws.String("vpc-1"), FlowLogStatus: aws.String("ACTIVE"),
			TrafficType: types.TrafficTypeReject, DeliverLogsStatus: aws.String("FAILED"), DeliverLogsErrorMessage: aws.String("Access error"),
		}}},
		&sdk.DescribeFlowLogsOutput{FlowLogs: []types.FlowLog{{
			FlowLogId: aws.String("fl-2"), ResourceId: aws.String("tgw-1"), FlowLogStatus: aws.String("ACTIVE"),
		}}})
	fake.OnPages[sdk.DescribeRouteTablesInput](f,
		&sdk.DescribeRouteTablesOutput{NextToken: more, RouteTables: []types.RouteTable{{
			RouteTableId: aws.String("rtb-1"), VpcId: aws.String("vpc-1"), OwnerId: owner,
			Routes: []types.Route{
				{DestinationCidrBlock: aws.String("172.31.0.0/16"), GatewayId: aws.String("local")},
				{DestinationCidrBlock: aws.String("10.0.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-1")},
				{DestinationIpv6CidrBlock: aws.String("2001:db8::/56"), VpcPeeringConnectionId: aws.String("pcx-1")},
				{DestinationPrefixListId: aws.String("pl-1"), VpcPeeringConnectionId: aws.String("pcx-1")},
			},
		}}},
		&sdk.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{{RouteTableId: aws.String("rtb-2"), OwnerId: stranger}}})
	fake.OnPages[sdk.DescribeVpcPeeringConnectionsInput](f,
		&sdk.DescribeVpcPeeringConnectionsOutput{NextToken: more, VpcPeeringConnections: []types.VpcPeeringConnection{{
			VpcPeeringConnectionId: aws.String("pcx-1"), Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeActive},
			RequesterVpcInfo: &types.VpcPeeringConnectionVpcInfo{
				VpcId: aws.String("vpc-1"), OwnerId: owner, CidrBlock: aws.String("172.31.0.0/16"),
				CidrBlockSet: []types.CidrBlock{{CidrBlock: aws.String("172.31.0.0/16")}, {CidrBlock: aws.String("100.64.0.0/16")}},
			},
			AccepterVpcInfo: &types.VpcPeeringConnectionVpcInfo{
				VpcId: aws.String("vpc-9"), OwnerId: stranger, CidrBlock: aws.String("10.0.0.0/16"),
				Ipv6CidrBlockSet: []types.Ipv6CidrBlock{{Ipv6CidrBlock: aws.String("2001:db8::/56")}},
			},
		}}},
		&sdk.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{{
			VpcPeeringConnectionId: aws.String("pcx-2"), Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeDeleted},
			RequesterVpcInfo: &types.VpcPeeringConnectionVpcInfo{VpcId: aws.String("vpc-1"), OwnerId: owner},
		}}})
	fake.On(f, func(*sdk.DescribeAddressesInput) (*sdk.DescribeAddressesOutput, error) {
		return &sdk.DescribeAddressesOutput{Addresses: []types.Address{
			{AllocationId: aws.String("eipalloc-1"), PublicIp: aws.String("198.51.100.7"), AssociationId: aws.String("eipassoc-1"), ServiceManaged: types.ServiceManagedAlb},
			{AllocationId: aws.String("eipalloc-2"), PublicIp: aws.String("198.51.100.8")},
		}}, nil
	})
}

func wantNetwork() []check.Resource {
	return []check.Resource{
		ec2.VPC{Idle: fact.Known(true), Resource: ref("vpc", "vpc-1"), Detail: fact.Known(ec2.VPCDetail{State: "available", Default: true, Range: "172.31.0.0/16"})},
		ec2.Subnet{Idle: fact.Known(true), Resource: ref("subnet", "subnet-1"), Detail: fact.Known(ec2.SubnetDetail{State: "available", VPC: "vpc-1", Zone: "eu-west-1a", AutoPublic: true})},
		ec2.FlowLog{Resource: ref("vpc-flow-log", "fl-1"), Detail: fact.Known(ec2.FlowLogDetail{
			Of: "vpc-1", Status: "ACTIVE", Traffic: "REJECT", Delivery: "FAILED", Error: "Access error",
		})},
		ec2.FlowLog{Resource: ref("vpc-flow-log", "fl-2"), Detail: fact.Known(ec2.FlowLogDetail{Of: "tgw-1", Status: "ACTIVE"})},
		ec2.RouteTable{Resource: ref("route-table", "rtb-1"), Detail: fact.Known(ec2.RouteTableDetail{VPC: "vpc-1", Peerings: []ec2.PeeringRoute{
			{Peering: "pcx-1", Range: "10.0.0.0/16"}, {Peering: "pcx-1", Range: "2001:db8::/56"}, {Peering: "pcx-1", List: "pl-1"},
		}}), Lists: fact.Known(map[string][]string{"pl-1": {"10.0.0.0/8", "198.51.100.0/24"}})},
		ec2.Peering{Resource: ref("vpc-peering-connection", "pcx-1"), Detail: fact.Known(ec2.PeeringDetail{
			Status:    "active",
			Requester: ec2.PeeringSide{VPC: "vpc-1", Ranges: []string{"100.64.0.0/16", "172.31.0.0/16"}},
			Accepter:  ec2.PeeringSide{VPC: "vpc-9", Ranges: []string{"10.0.0.0/16", "2001:db8::/56"}},
		})},
		ec2.Peering{Resource: ref("vpc-peering-connection", "pcx-2"), Detail: fact.Known(ec2.PeeringDetail{
			Status: "deleted", Requester: ec2.PeeringSide{VPC: "vpc-1"},
		})},
		ec2.Address{Resource: ref("elastic-ip", "eipalloc-1"), Detail: fact.Known(ec2.AddressDetail{
			IP: "198.51.100.7", Association: "eipassoc-1", Managed: "alb",
		})},
		ec2.Address{Resource: ref("elastic-ip", "eipalloc-2"), Detail: fact.Known(ec2.AddressDetail{IP: "198.51.100.8"})},
	}
}
