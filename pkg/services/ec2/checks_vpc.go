package ec2

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func vpcRules() []check.Rule {
	return []check.Rule{
		check.Across("ec2-vpc-flow-logs", model.Medium, vpcFlowLogs, check.Using[FlowLog]()),
		check.Across("ec2-vpc-subnets-in-several-zones", model.Low, vpcZones, check.Using[Subnet]()),
		check.Across("ec2-vpc-endpoint-for-ec2", model.Low, vpcEC2Endpoint, check.Using[Endpoint]()).OnlyIfAsked("few networks need EC2's API without the internet"),
		check.For("ec2-flow-log-delivers", model.Medium, flowLogDelivers),
		check.For("ec2-subnet-no-auto-public-ip", model.Medium, noAutoPublicIP),
		check.Across("ec2-vpc-peering-least-routes", model.Medium, peeringLeastRoutes, check.Using[RouteTable]()),
		check.For("ec2-elastic-ip-associated", model.Low, addressAssociated),
		check.For("ec2-network-interface-source-dest-check", model.Medium, interfaces.Unless(
			check.When(func(d InterfaceDetail) bool { return d.Type != "interface" }, "the interface is managed by a service of AWS")).Must(
			func(d InterfaceDetail) bool { return d.SourceDestCheck },
			"the source/destination check is on", "the source/destination check is off, so the interface forwards traffic of others")),
		check.For("ec2-network-interface-attached", model.Low, interfaces.Must(
			func(d InterfaceDetail) bool { return d.Status != "available" }, "the interface is attached", "the interface is attached to nothing")),
	}
}

var interfaces = check.On(func(i NetworkInterface) fact.Of[InterfaceDetail] { return i.Detail })

func vpcFlowLogs(e *check.Evidence, v VPC) check.Verdict {
	check.Read(e, v.Detail)
	logs, gaps := flowLogsOf.SomeIn(e, v.Region, v.Name)
	onlyAccepted := false
	for _, log := range logs {
		d := check.Read(e, log.Detail)
		if d.Status != "ACTIVE" {
			continue
		}
		if d.Traffic == "ALL" || d.Traffic == "REJECT" {
			return check.Passed("flow log " + log.Name + " records " + strings.ToLower(d.Traffic) + " traffic")
		}
		onlyAccepted = true
	}
	switch {
	case len(gaps) > 0:
		return check.Unassessed(gaps...)
	case onlyAccepted:
		return check.Failed("the flow logs leave rejected traffic out")
	default:
		return check.Failed("no active flow log records the VPC")
	}
}

var (
	flowLogsOf  = check.NewIndex(func(e *check.Evidence, l FlowLog) []string { return []string{check.Read(e, l.Detail).Of} })
	subnetsOf   = check.NewIndex(func(e *check.Evidence, s Subnet) []string { return []string{check.Read(e, s.Detail).VPC} })
	endpointsOf = check.NewIndex(func(e *check.Evidence, p Endpoint) []string { return []string{check.Read(e, p.Detail).VPC} })
	tablesOf    = check.NewIndex(func(e *check.Evidence, t RouteTable) []string {
		var peerings []string
		for _, route := range check.Read(e, t.Detail).Peerings {
			peerings = append(peerings, route.Peering)
		}
		return peerings
	})
)

func vpcZones(e *check.Evidence, v VPC) check.Verdict {
	check.Read(e, v.Detail)
	subnets, gaps := subnetsOf.SomeIn(e, v.Region, v.Name)
	zones := map[string]bool{}
	for _, s := range subnets {
		zones[check.Read(e, s.Detail).Zone] = true
	}
	switch {
	case len(zones) > 1:
		return check.Passed("the subnets lie in several availability zones")
	case len(gaps) > 0:
		return check.Unassessed(gaps...)
	case len(zones) == 0:
		return check.Inapplicable("the VPC has no subnet")
	default:
		return check.Failed("all subnets lie in one availability zone")
	}
}

func vpcEC2Endpoint(e *check.Evidence, v VPC) check.Verdict {
	check.Read(e, v.Detail)
	endpoints, gaps := endpointsOf.SomeIn(e, v.Region, v.Name)
	for _, p := range endpoints {
		d := check.Read(e, p.Detail)
		if strings.HasSuffix(d.Service, "."+v.Region+".ec2") && d.State == "available" {
			return check.Passed("endpoint " + p.Name + " reaches EC2's API")
		}
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("no endpoint of the VPC reaches EC2's API")
}

func flowLogDelivers(e *check.Evidence, l FlowLog) check.Verdict {
	d := check.Read(e, l.Detail)
	switch d.Delivery {
	case "FAILED":
		return check.Failed("delivery fails: " + d.Error)
	case "SUCCESS":
		return check.Passed("records are delivered")
	default:
		return check.Inapplicable("nothing was delivered yet")
	}
}

func noAutoPublicIP(e *check.Evidence, s Subnet) check.Verdict {
	return check.Must(!check.Read(e, s.Detail).AutoPublic,
		"instances get no public address by default", "instances get a public address by default")
}

func peeringLeastRoutes(e *check.Evidence, p Peering) check.Verdict {
	d := check.Read(e, p.Detail)
	tables, gaps := tablesOf.SomeIn(e, p.Region, p.Name)
	for _, t := range tables {
		table := check.Read(e, t.Detail)
		for _, route := range table.Peerings {
			if route.Peering != p.Name {
				continue
			}
			ranges := []string{route.Range}
			if route.List != "" {
				ranges = check.Read(e, t.Lists)[route.List]
			}
			for _, cidr := range ranges {
				if whole, ok := d.other(table.VPC).within(cidr); ok {
					return check.Failed(fmt.Sprintf("route table %s routes %s, all of the peer's %s", t.Name, cidr, whole))
				}
			}
		}
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Passed("no route opens a whole range of the peer")
}

// other is the peer of the VPC that a route table belongs to.
func (d PeeringDetail) other(vpc string) PeeringSide {
	if vpc == d.Accepter.VPC {
		return d.Requester
	}
	return d.Accepter
}

// within finds the first of a VPC's ranges that lies in a route's.
func (s PeeringSide) within(route string) (string, bool) {
	for _, r := range s.Ranges {
		if internet.Covers(route, r) {
			return r, true
		}
	}
	// A range of everything covers a peer whose ranges AWS does not tell.
	if bits, _, ok := internet.Bits(route); ok && bits == 0 {
		return "network", true
	}
	return "", false
}

func addressAssociated(e *check.Evidence, a Address) check.Verdict {
	d := check.Read(e, a.Detail)
	if d.Managed != "" {
		return check.Inapplicable("the address is managed by " + d.Managed)
	}
	return check.Must(d.Association != "", "the address is in use", "the address "+d.IP+" is associated with nothing and is still billed")
}
