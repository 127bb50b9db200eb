package collect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
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
		func(o *sdk.DescribeNetworkInterfacesOutput) []types.NetworkInterface {
			return collect.RequiredList("NetworkInterfaces", o.NetworkInterfaces)
		},
		func(r *collect.Reading, n types.NetworkInterface) *ec2.NetworkInterface {
			for _, g := range collect.RequiredList("Groups", n.Groups) {
				bearers.add(new(identifier("security-group", g.GroupId)))
			}
			if foreign(s, n.OwnerId) {
				return nil
			}
			return &ec2.NetworkInterface{
				Resource: resource(s, "network-interface", n.NetworkInterfaceId),
				Detail: collect.From(r, n, func(n types.NetworkInterface) ec2.InterfaceDetail {
					return ec2.InterfaceDetail{
						Type:            string(collect.RequiredWord("InterfaceType", n.InterfaceType)),
						Status:          string(collect.Known("Status", n.Status, n.Status.Values()...)),
						Manager:         cmp.Or(operator(n.Operator), requester(collect.Required("RequesterManaged", n.RequesterManaged), n.RequesterId)),
						SourceDestCheck: collect.Required("SourceDestCheck", n.SourceDestCheck),
					}
				}),
			}
		})
	lists := &prefixLists{client: client}
	groups := sdk.NewDescribeSecurityGroupsPaginator(client, &sdk.DescribeSecurityGroupsInput{MaxResults: aws.Int32(most)})
	groupsErr := collect.Each(ctx, s, groups,
		func(o *sdk.DescribeSecurityGroupsOutput) []types.SecurityGroup {
			return collect.RequiredList("SecurityGroups", o.SecurityGroups)
		},
		func(r *collect.Reading, g types.SecurityGroup) *ec2.SecurityGroup {
			found := &ec2.SecurityGroup{Resource: resource(s, "security-group", g.GroupId), Interfaces: bearers.of(s, g.GroupId, interfacesErr)}
			manager := ""
			if foreign(s, g.OwnerId) {
				manager = "account " + *g.OwnerId
				found.ARN = strings.Replace(found.ARN, ":"+s.Account+":", ":"+*g.OwnerId+":", 1)
			}
			found.Detail = collect.From(r, g, func(g types.SecurityGroup) ec2.GroupDetail {
				collect.RequiredText("OwnerId", g.OwnerId)
				return ec2.GroupDetail{
					Manager: manager,
					Name:    collect.RequiredText("GroupName", g.GroupName),
					Ingress: permissions(collect.RequiredList("IpPermissions", g.IpPermissions)),
					Egress:  permissions(collect.RequiredList("IpPermissionsEgress", g.IpPermissionsEgress)),
				}
			})
			d, gap := found.Detail.Get()
			if gap != nil {
				found.Lists, found.Idle = fact.Unknown[map[string][]string](*gap), fact.Unknown[bool](*gap)
				return found
			}
			var named []string
			for _, p := range slices.Concat(d.Ingress, d.Egress) {
				named = append(named, p.PrefixLists...)
			}
			found.Lists = lists.behind(r, named, ec2.Wide)
			found.Idle = idle(r, s, client, g.VpcId, d.Name == "default")
			return found
		})
	return errors.Join(interfacesErr, groupsErr)
}

// permissions understands every rule, or gives none.
func permissions(all []types.IpPermission) []ec2.Permission {
	var kept []ec2.Permission
	for _, p := range all {
		k := ec2.Permission{Protocol: protocol(p.IpProtocol)}
		if k.Protocol == "tcp" || k.Protocol == "udp" { // without ports it would be a rule for all
			collect.Required("FromPort", p.FromPort)
			collect.Required("ToPort", p.ToPort)
		}
		k.From, k.To = ports(k.Protocol, p.FromPort, p.ToPort)
		for _, r := range collect.RequiredList("IpRanges", p.IpRanges) {
			k.IPv4 = append(k.IPv4, collect.Prefix("CidrIp", r.CidrIp))
		}
		for _, r := range collect.RequiredList("Ipv6Ranges", p.Ipv6Ranges) {
			k.IPv6 = append(k.IPv6, collect.Prefix("CidrIpv6", r.CidrIpv6))
		}
		for _, g := range p.UserIdGroupPairs {
			k.Groups = append(k.Groups, identifier("security-group", g.GroupId))
		}
		for _, l := range collect.RequiredList("PrefixListIds", p.PrefixListIds) {
			k.PrefixLists = append(k.PrefixLists, collect.RequiredText("PrefixListId", l.PrefixListId))
		}
		kept = append(kept, k)
	}
	return kept
}

// ports are the first and the last port of TCP and UDP, and what stands for them of
// other protocols.
func ports(protocol string, from, to *int32) (first, last *int32) {
	switch protocol {
	case "tcp", "udp", "6", "17":
		if from != nil && to != nil && (*from < -1 || *to > 65535 || *from > *to) {
			collect.Garbled("ports %d to %d", *from, *to)
		}
	}
	return from, to
}

// protocol is a protocol's name where EC2 has one for it, or its number.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html, 29 November 2026.
func protocol(p *string) string {
	text := collect.RequiredText("IpProtocol", p)
	if n, err := strconv.Atoi(text); err == nil && n >= -1 && n <= 255 {
		return text
	}
	return collect.Known("IpProtocol", text, "tcp", "udp", "icmp", "icmpv6")
}

func networkACLs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeNetworkAclsPaginator(client, &sdk.DescribeNetworkAclsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeNetworkAclsOutput) []types.NetworkAcl { return o.NetworkAcls },
		func(r *collect.Reading, a types.NetworkAcl) *ec2.NetworkACL {
			if foreign(s, a.OwnerId) {
				return nil
			}
			return &ec2.NetworkACL{
				Resource: resource(s, "network-acl", a.NetworkAclId),
				Idle:     idle(r, s, client, a.VpcId, aws.ToBool(a.IsDefault)),
				Detail: collect.From(r, a, func(a types.NetworkAcl) ec2.ACLDetail {
					d := ec2.ACLDetail{
						Default: collect.Required("IsDefault", a.IsDefault),
						Ingress: ingress(collect.RequiredList("Entries", a.Entries)),
					}
					for _, assoc := range a.Associations {
						d.Subnets = append(d.Subnets, identifier("subnet", assoc.SubnetId))
					}
					return d
				}),
			}
		})
}

// ingress is the inbound rules in the order of their numbers, in which they
// count; AWS gives them in any.
func ingress(entries []types.NetworkAclEntry) []ec2.ACLEntry {
	var kept []ec2.ACLEntry
	for _, e := range entries {
		if collect.Required("Egress", e.Egress) {
			continue
		}
		number := collect.Required("RuleNumber", e.RuleNumber)
		k := ec2.ACLEntry{
			Number:   int32(collect.Count("RuleNumber", &number)), //nolint:gosec // was one
			Allow:    collect.Known("RuleAction", e.RuleAction, e.RuleAction.Values()...) == types.RuleActionAllow,
			Protocol: protocol(e.Protocol),
			Range:    collect.Prefix("CidrBlock", cmp.Or(e.CidrBlock, e.Ipv6CidrBlock)),
		}
		if e.PortRange != nil {
			k.From, k.To = ports(k.Protocol, e.PortRange.From, e.PortRange.To)
		}
		kept = append(kept, k)
	}
	slices.SortStableFunc(kept, func(a, b ec2.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	return kept
}
