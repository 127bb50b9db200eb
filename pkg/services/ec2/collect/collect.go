// Package collect reads EC2 and VPC from AWS.
package collect

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// Spec is how EC2 is collected.
//
// Two walks yield two types each: what the second type needs of the first
// (groups of their interfaces, volumes of their snapshots) is counted on the
// way, so that nothing is listed twice. If the first listing fails, the second
// type is still read in full, though its listing counts as incomplete, too.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "ec2",
		Walks: []collect.Walk{
			{Kinds: kinds(ec2.Instance{}), Operations: []string{"EC2.DescribeInstances", "EC2.DescribeInstanceAttribute"}, Run: instances},
			{Kinds: kinds(ec2.LaunchTemplate{}), Operations: []string{"EC2.DescribeLaunchTemplateVersions"}, Run: launchTemplates},
			{
				Kinds:      kinds(ec2.NetworkInterface{}, ec2.SecurityGroup{}),
				Operations: []string{"EC2.DescribeNetworkInterfaces", "EC2.DescribeSecurityGroups"},
				Run:        securityGroups,
			},
			{Kinds: kinds(ec2.NetworkACL{}), Operations: []string{"EC2.DescribeNetworkAcls"}, Run: networkACLs},
			{Kinds: kinds(ec2.VPC{}), Operations: []string{"EC2.DescribeVpcs"}, Run: vpcs},
			{Kinds: kinds(ec2.Subnet{}), Operations: []string{"EC2.DescribeSubnets"}, Run: subnets},
			{Kinds: kinds(ec2.FlowLog{}), Operations: []string{"EC2.DescribeFlowLogs"}, Run: flowLogs},
			{Kinds: kinds(ec2.RouteTable{}), Operations: []string{"EC2.DescribeRouteTables"}, Run: routeTables},
			{Kinds: kinds(ec2.Peering{}), Operations: []string{"EC2.DescribeVpcPeeringConnections"}, Run: peerings},
			{Kinds: kinds(ec2.Address{}), Operations: []string{"EC2.DescribeAddresses"}, Run: addresses},
			{Kinds: kinds(ec2.Endpoint{}), Operations: []string{"EC2.DescribeVpcEndpoints", "EC2.DescribeVpcEndpointServices"}, Run: endpoints},
			{
				Kinds:      kinds(ec2.EndpointService{}),
				Operations: []string{"EC2.DescribeVpcEndpointServiceConfigurations", "EC2.DescribeVpcEndpointServicePermissions"},
				Run:        endpointServices,
			},
			{Kinds: kinds(ec2.TransitGateway{}), Operations: []string{"EC2.DescribeTransitGateways"}, Run: transitGateways},
			{Kinds: kinds(ec2.VPNConnection{}), Operations: []string{"EC2.DescribeVpnConnections"}, Run: vpnConnections},
			{Kinds: kinds(ec2.ClientVPN{}), Operations: []string{"EC2.DescribeClientVpnEndpoints"}, Run: clientVPNs},
			{Kinds: kinds(ec2.Snapshot{}, ec2.Volume{}), Operations: []string{"EC2.DescribeSnapshots", "EC2.DescribeVolumes"}, Run: volumes},
			{Kinds: kinds(ec2.Image{}), Operations: []string{"EC2.DescribeImages"}, Run: images},
			{
				Kinds: kinds(ec2.RegionSettings{}),
				Operations: []string{
					"EC2.GetEbsEncryptionByDefault", "EC2.GetSnapshotBlockPublicAccessState", "EC2.GetImageBlockPublicAccessState",
					"EC2.GetInstanceMetadataDefaults", "EC2.GetSerialConsoleAccessStatus", "EC2.DescribeVpcBlockPublicAccessOptions",
				},
				Run: settings,
			},
		},
	}
}

func kinds(of ...check.Resource) []string {
	names := make([]string, len(of))
	for i, r := range of {
		names[i] = r.Kind()
	}
	return names
}

// most is the largest page of most listings.
const most = 1000

// resource is the identity of one of the account's things: EC2's answers hold
// few ARNs, but the ARNs follow from the ids.
func resource(s *collect.Session, kind string, id *string) model.Resource {
	return s.Resource(s.ARN("ec2", kind+"/"+aws.ToString(id)), aws.ToString(id))
}

// unowned is the identity of an image or a snapshot, whose ARNs name no account.
func unowned(s *collect.Session, kind string, id *string) model.Resource {
	return s.Resource("arn:"+s.Partition+":ec2:"+s.Region+"::"+kind+"/"+aws.ToString(id), aws.ToString(id))
}

// foreign reports whether another account owns a thing and shares it with this
// one.
func foreign(s *collect.Session, owner *string) bool {
	return aws.ToString(owner) != "" && aws.ToString(owner) != s.Account
}

// tally counts by id what the listing of another type refers to.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) add(id *string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[aws.ToString(id)]++
}

// of is the count of one id, if the listing that was counted is complete.
func (t *tally) of(s *collect.Session, id *string, listing error) fact.Of[int] {
	if listing != nil {
		gap := collect.GapOf(listing)
		gap.Region = s.Region
		return fact.Unknown[int](gap)
	}
	return fact.Known(t.counts[aws.ToString(id)])
}
