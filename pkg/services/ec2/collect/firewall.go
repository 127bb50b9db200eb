package collect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// securityGroups reads the network interfaces first, to know of each group
// whether any bears it.
func securityGroups(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	bearers := newTally()
	interfaces := sdk.NewDescribeNetworkInterfacesPaginator(client, &sdk.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(most)})
	interfacesErr := collect.Each(ctx, s, interfaces,
		func(o *sdk.DescribeNetworkInterfacesOutput) []types.NetworkInterface { return o.NetworkInterfaces },
		func(_ *collect.Reading, n types.NetworkInterface) *ec2.NetworkInterface {
			for _, g := range n.Groups {
				bearers.add(g.GroupId)
			}
			if foreign(s, n.OwnerId) {
				return nil
			}
			return &ec2.NetworkInterface{
				Resource: resource(s, "network-interface", n.NetworkInterfaceId),
				Detail: fact.Known(ec2.InterfaceDetail{
					Type:            string(n.InterfaceType),
					Status:          string(n.Status),
					Manager:         cmp.Or(operator(n.Operator), requester(n.RequesterManaged, n.RequesterId)),
					SourceDestCheck: aws.ToBool(n.SourceDestCheck),
				}),
			}
		})
	lists := &prefixLists{client: client}
	groups := sdk.NewDescribeSecurityGroupsPaginator(client, &sdk.DescribeSecurityGroupsInput{MaxResults: aws.Int32(most)})
	groupsErr := collect.Each(ctx, s, groups,
		func(o *sdk.DescribeSecurityGroupsOutput) []types.SecurityGroup { return o.SecurityGroups },
		func(r *collect.Reading, g types.SecurityGroup) *ec2.SecurityGroup {
			d := ec2.GroupDetail{
				Name:    aws.ToString(g.GroupName),
				VPC:     aws.ToString(g.VpcId),
				Ingress: permissions(g.IpPermissions),
				Egress:  permissions(g.IpPermissionsEgress),
			}
			found := &ec2.SecurityGroup{Resource: resource(s, "security-group", g.GroupId), Interfaces: bearers.of(s, g.GroupId, interfacesErr)}
			found.Idle = idle(r, s, client, g.VpcId, d.Name == "default")
			if foreign(s, g.OwnerId) {
				d.Manager = "account " + *g.OwnerId
				found.ARN = strings.Replace(found.ARN, ":"+s.Account+":", ":"+*g.OwnerId+":", 1)
			}
			found.Detail = fact.Known(d)
			var named []string
			for _, p := range slices.Concat(d.Ingress, d.Egress) {
				named = append(named, p.PrefixLists...)
			}
			found.Lists = lists.behind(r, named, ec2.Wide)
			return found
		})
	return errors.Join(interfacesErr, groupsErr)
}

func permissions(all []types.IpPermission) []ec2.Permission {
	var kept []ec2.Permission
	for _, p := range all {
		k := ec2.Permission{Protocol: aws.ToString(p.IpProtocol), From: p.FromPort, To: p.ToPort}
		for _, r := range p.IpRanges {
			k.IPv4 = append(k.IPv4, aws.ToString(r.CidrIp))
		}
		for _, r := range p.Ipv6Ranges {
			k.IPv6 = append(k.IPv6, aws.ToString(r.CidrIpv6))
		}
		for _, g := range p.UserIdGroupPairs {
			k.Groups = append(k.Groups, aws.ToString(g.GroupId))
		}
		for _, l := range p.PrefixListIds {
			k.PrefixLists = append(k.PrefixLists, aws.ToString(l.PrefixListId))
		}
		kept = append(kept, k)
	}
	return kept
}

func networkACLs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeNetworkAclsPaginator(client, &sdk.DescribeNetworkAclsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeNetworkAclsOutput) []types.NetworkAcl { return o.NetworkAcls },
		func(r *collect.Reading, a types.NetworkAcl) *ec2.NetworkACL {
			if foreign(s, a.OwnerId) {
				return nil
			}
			d := ec2.ACLDetail{VPC: aws.ToString(a.VpcId), Default: aws.ToBool(a.IsDefault), Ingress: ingress(a.Entries)}
			for _, assoc := range a.Associations {
				d.Subnets = append(d.Subnets, aws.ToString(assoc.SubnetId))
			}
			return &ec2.NetworkACL{Resource: resource(s, "network-acl", a.NetworkAclId), Detail: fact.Known(d), Idle: idle(r, s, client, a.VpcId, d.Default)}
		})
}

// ingress is the inbound rules in the order of their numbers, in which they
// count; AWS gives them in any.
func ingress(entries []types.NetworkAclEntry) []ec2.ACLEntry {
	var kept []ec2.ACLEntry
	for _, e := range entries {
		if aws.ToBool(e.Egress) {
			continue
		}
		k := ec2.ACLEntry{
			Number:   aws.ToInt32(e.RuleNumber),
			Allow:    e.RuleAction == types.RuleActionAllow,
			Protocol: aws.ToString(e.Protocol),
			Range:    aws.ToString(cmp.Or(e.CidrBlock, e.Ipv6CidrBlock)),
		}
		if e.PortRange != nil {
			k.From, k.To = e.PortRange.From, e.PortRange.To
		}
		kept = append(kept, k)
	}
	slices.SortStableFunc(kept, func(a, b ec2.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	return kept
}
