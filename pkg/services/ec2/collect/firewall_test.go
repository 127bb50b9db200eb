package collect_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func fullFirewall(f *fake.Fake) {
	bearing := func(id string, of *string, groups ...string) types.NetworkInterface {
		n := types.NetworkInterface{
			NetworkInterfaceId: &id, OwnerId: of, InterfaceType: types.NetworkInterfaceTypeInterface,
			Status: types.NetworkInterfaceStatusInUse, SourceDestCheck: aws.Bool(true), RequesterManaged: aws.Bool(false),
		}
		for _, g := range groups {
			n.Groups = append(n.Groups, types.GroupIdentifier{GroupId: &g})
		}
		return n
	}
	lambda := bearing("eni-2", owner, "sg-web", "sg-2")
	lambda.InterfaceType, lambda.RequesterManaged, lambda.SourceDestCheck = types.NetworkInterfaceTypeLambda, aws.Bool(true), aws.Bool(false)
	fake.On(f, func(in *sdk.DescribeNetworkInterfacesInput) (*sdk.DescribeNetworkInterfacesOutput, error) {
		switch {
		case len(in.Filters) > 0: // what is in the default VPC
			return &sdk.DescribeNetworkInterfacesOutput{}, nil
		case in.NextToken == nil:
			return &sdk.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{bearing("eni-1", owner, "sg-web")}, NextToken: more}, nil
		default:
			return &sdk.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{lambda, bearing("eni-3", stranger, "sg-web")}}, nil
		}
	})

	https := types.IpPermission{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443),
		IpRanges:         []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		Ipv6Ranges:       []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}},
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: aws.String("sg-2"), UserId: owner}},
		PrefixListIds:    []types.PrefixListId{{PrefixListId: aws.String("pl-1")}},
	}
	// For all protocols AWS leaves the ports out.
	everything := types.IpPermission{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}
	web := types.SecurityGroup{
		GroupId: aws.String("sg-web"), GroupName: aws.String("web"), OwnerId: owner, VpcId: aws.String("vpc-1"),
		IpPermissions: []types.IpPermission{https}, IpPermissionsEgress: []types.IpPermission{everything, https},
	}
	unused := types.SecurityGroup{GroupId: aws.String("sg-unused"), GroupName: aws.String("default"), OwnerId: owner, VpcId: aws.String("vpc-1")}
	fake.OnPages[sdk.GetManagedPrefixListEntriesInput](f,
		&sdk.GetManagedPrefixListEntriesOutput{NextToken: more, Entries: []types.PrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}}},
		&sdk.GetManagedPrefixListEntriesOutput{Entries: []types.PrefixListEntry{{Cidr: aws.String("198.51.100.0/24")}}})
	shared := types.SecurityGroup{GroupId: aws.String("sg-shared"), GroupName: aws.String("shared"), OwnerId: stranger}
	fake.OnPages[sdk.DescribeSecurityGroupsInput](f,
		&sdk.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{web}, NextToken: more},
		&sdk.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{unused, shared}})

	entry := func(number int32, action types.RuleAction, egress bool) types.NetworkAclEntry {
		return types.NetworkAclEntry{RuleNumber: &number, RuleAction: action, Egress: &egress, Protocol: aws.String("-1"), CidrBlock: aws.String("0.0.0.0/0")}
	}
	web443 := entry(100, types.RuleActionAllow, false)
	web443.Protocol, web443.PortRange = aws.String("6"), &types.PortRange{From: aws.Int32(443), To: aws.Int32(443)}
	web443.CidrBlock, web443.Ipv6CidrBlock = nil, aws.String("::/0")
	list := types.NetworkAcl{
		NetworkAclId: aws.String("acl-1"), VpcId: aws.String("vpc-1"), OwnerId: owner, IsDefault: aws.Bool(true),
		Associations: []types.NetworkAclAssociation{{SubnetId: aws.String("subnet-1")}},
		Entries: []types.NetworkAclEntry{
			entry(32767, types.RuleActionDeny, false), entry(90, types.RuleActionDeny, false), web443,
			entry(32767, types.RuleActionDeny, true),
		},
	}
	shared2 := types.NetworkAcl{NetworkAclId: aws.String("acl-2"), OwnerId: stranger}
	fake.OnPages[sdk.DescribeNetworkAclsInput](f,
		&sdk.DescribeNetworkAclsOutput{NetworkAcls: []types.NetworkAcl{list}, NextToken: more},
		&sdk.DescribeNetworkAclsOutput{NetworkAcls: []types.NetworkAcl{shared2}})
}

func wantFirewall() []check.Resource {
	https := ec2.Permission{
		Protocol: "tcp", From: aws.Int32(443), To: aws.Int32(443), IPv4: []string{"0.0.0.0/0"}, IPv6: []string{"::/0"},
		Groups: []string{"sg-2"}, PrefixLists: []string{"pl-1"},
	}
	return []check.Resource{
		ec2.NetworkInterface{Resource: ref("network-interface", "eni-1"), Detail: fact.Known(ec2.InterfaceDetail{
			Type: "interface", Status: "in-use", SourceDestCheck: true,
		})},
		ec2.NetworkInterface{Resource: ref("network-interface", "eni-2"), Detail: fact.Known(ec2.InterfaceDetail{
			Type: "lambda", Status: "in-use", Manager: "an AWS service",
		})},
		ec2.SecurityGroup{Idle: fact.Known(false), Resource: ref("security-group", "sg-web"), Interfaces: fact.Known(3), Lists: fact.Known(map[string][]string{"pl-1": {"10.0.0.0/8"}}), Detail: fact.Known(ec2.GroupDetail{
			Name: "web", VPC: "vpc-1",
			Ingress: []ec2.Permission{https},
			Egress:  []ec2.Permission{{Protocol: "-1", IPv4: []string{"0.0.0.0/0"}}, https},
		})},
		ec2.SecurityGroup{Idle: fact.Known(true), Resource: ref("security-group", "sg-unused"), Interfaces: fact.Known(0), Lists: fact.Known(map[string][]string{}), Detail: fact.Known(ec2.GroupDetail{
			Name: "default", VPC: "vpc-1",
		})},
		ec2.SecurityGroup{
			Idle: fact.Known(false),
			Resource: model.Resource{Ref: model.Ref{
				ARN: "arn:aws:ec2:eu-west-1:444455556666:security-group/sg-shared", Account: collecttest.Account, Region: collecttest.Region, Name: "sg-shared",
			}},
			Interfaces: fact.Known(0), Lists: fact.Known(map[string][]string{}), Detail: fact.Known(ec2.GroupDetail{Name: "shared", Manager: "account 444455556666"}),
		},
		ec2.NetworkACL{Idle: fact.Known(true), Resource: ref("network-acl", "acl-1"), Detail: fact.Known(ec2.ACLDetail{
			VPC: "vpc-1", Default: true, Subnets: []string{"subnet-1"},
			Ingress: []ec2.ACLEntry{
				{Number: 90, Protocol: "-1", Range: "0.0.0.0/0"},
				{Number: 100, Allow: true, Protocol: "6", Range: "::/0", From: aws.Int32(443), To: aws.Int32(443)},
				{Number: 32767, Protocol: "-1", Range: "0.0.0.0/0"},
			},
		})},
	}
}
