// Package ec2 knows Amazon EC2 and VPC: instances, their networks and what
// guards them, their disks and images, and a region's settings.
//
// # What is not judged
//
// Subnets, VPCs and the like that another account shares with this one are left
// out: their owner decides on them. Shared security groups are looked at for what
// they let in to this account's instances.
package ec2

import (
	_ "embed"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of EC2.
func Service() check.Service {
	return check.Service{
		Name:  "ec2",
		Title: "Amazon EC2 and VPC",
		Kinds: []check.Kind{
			check.KindOf[Instance](), check.KindOf[LaunchTemplate]().Stateless("launch templates are there or are not"),
			check.KindOf[SecurityGroup]().Stateless("security groups are there or are not"), check.KindOf[NetworkInterface](), check.KindOf[NetworkACL]().Stateless("network ACLs are there or are not"),
			check.KindOf[VPC](), check.KindOf[Subnet](), check.KindOf[FlowLog](), check.KindOf[RouteTable]().Stateless("route tables are there or are not"),
			check.KindOf[Peering](), check.KindOf[Endpoint](), check.KindOf[EndpointService](), check.KindOf[Address]().Stateless("addresses are there or are not"),
			check.KindOf[TransitGateway](), check.KindOf[VPNConnection](), check.KindOf[ClientVPN](),
			check.KindOf[Volume](), check.KindOf[Snapshot](), check.KindOf[Image](),
			check.KindOf[RegionSettings]().Stateless("a setting of the region"),
		},
		Rules: slices.Concat(
			instanceRules(), exposureRules(), launchTemplateRules(),
			securityGroupRules(), portRules(), networkACLRules(),
			vpcRules(), endpointRules(), linkRules(),
			storageRules(), imageRules(), settingsRules(),
		),
		Texts: texts,
	}
}
