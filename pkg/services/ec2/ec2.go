// Package ec2 knows Amazon EC2 and VPC: instances, their networks and what
// guards them, their disks and images, and a region's settings.
//
// # What "from the internet" means
//
// A range of addresses is the internet when it holds at least half of it:
// 0.0.0.0/0 and ::/0, and also 0.0.0.0/1 with 128.0.0.0/1, which are the usual
// way around a test for the former. See anywhere.
//
// # What is not judged
//
// Subnets, VPCs and the like that another account shares with this one are left
// out: their owner decides on them. Addresses behind a prefix list are not
// looked up, so a rule that names one never counts as open.
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
			check.KindOf[Instance](), check.KindOf[LaunchTemplate](),
			check.KindOf[SecurityGroup](), check.KindOf[NetworkInterface](), check.KindOf[NetworkACL](),
			check.KindOf[VPC](), check.KindOf[Subnet](), check.KindOf[FlowLog](), check.KindOf[RouteTable](),
			check.KindOf[Peering](), check.KindOf[Endpoint](), check.KindOf[EndpointService](), check.KindOf[Address](),
			check.KindOf[TransitGateway](), check.KindOf[VPNConnection](), check.KindOf[ClientVPN](),
			check.KindOf[Volume](), check.KindOf[Snapshot](), check.KindOf[Image](),
			check.KindOf[RegionSettings](),
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
