package ec2_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// ref is the identity of a thing whose name is its id.
func ref(kind, id, region string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: "arn:aws:ec2:" + region + ":111122223333:" + kind + "/" + id, Account: "111122223333", Region: region, Name: id}}
}

const home = "eu-west-1"

func exposureCases() checktest.Table {
	public := func(d *ec2.InstanceDetail) { d.PublicIPv4 = []string{"198.51.100.1"} }
	v6 := instanceWith(func(d *ec2.InstanceDetail) { d.PublicIPv6 = []string{"2001:db8::1"} })
	gone := instanceWith(func(d *ec2.InstanceDetail) { public(d); d.State = "terminated" })
	all := checktest.Table{}
	for id, port := range map[model.CheckID]int32{"admin-port": 22, "database": 3306, "file-sharing": 445} {
		open := group(rule("tcp", port, port, "0.0.0.0/0"))
		elsewhere := open
		elsewhere.Ref = ref("security-group", "sg-2", home).Ref
		abroad := open
		abroad.Ref = ref("security-group", "sg-1", "us-east-1").Ref
		all["ec2-instance-no-"+id+"-on-internet"] = []checktest.Case{
			{Name: "private", Resource: instance(nil), Others: []check.Resource{open}, Want: check.Pass},
			{Name: "closed", Resource: instanceWith(public), Others: []check.Resource{group(rule("tcp", 8443, 8443, "0.0.0.0/0"))}, Want: check.Pass},
			{Name: "open", Resource: instanceWith(public), Others: []check.Resource{elsewhere, open}, Want: check.Fail},
			{Name: "others' groups", Resource: instanceWith(public), Others: []check.Resource{elsewhere, abroad, group()}, Want: check.Pass},
			{Name: "a group that is not listed", Resource: instanceWith(public), Others: []check.Resource{elsewhere, abroad}, Want: check.NotAssessed},
			{Name: "a shared group", Resource: instanceWith(public), Others: []check.Resource{borrowed(rule("tcp", port, port, "0.0.0.0/0"))}, Want: check.Fail, Reports: []string{"cloud-custodian/cloud-custodian#8594", "cloud-custodian/cloud-custodian#6936"}},
			{Name: "an unread prefix list", Resource: instanceWith(public), Others: []check.Resource{behind("tcp", port, unreadLists)}, Want: check.NotAssessed},
			{Name: "open in the other family", Resource: v6, Others: []check.Resource{open}, Want: check.Pass},
			{Name: "open in IPv6", Resource: v6, Others: []check.Resource{group(rule("-1", 0, 0, "::/0"))}, Want: check.Fail},
			{Name: "terminated", Resource: gone, Others: []check.Resource{open}, Want: check.NotApplicable},
		}
	}
	return all
}

func vpc() ec2.VPC {
	return ec2.VPC{Resource: ref("vpc", "vpc-1", home), Idle: fact.Known(false), Detail: fact.Known(ec2.VPCDetail{})}
}

func flowLog(change func(*ec2.FlowLogDetail)) ec2.FlowLog {
	d := ec2.FlowLogDetail{Of: "vpc-1", Status: "ACTIVE", Traffic: "ALL", Delivery: "SUCCESS"}
	if change != nil {
		change(&d)
	}
	return ec2.FlowLog{Resource: ref("vpc-flow-log", "fl-1", home), Detail: fact.Known(d)}
}

func subnet(id, of, zone string, public bool) ec2.Subnet {
	return ec2.Subnet{Resource: ref("subnet", id, home), Idle: fact.Known(false), Detail: fact.Known(ec2.SubnetDetail{VPC: of, Zone: zone, AutoPublic: public})}
}

func vpcCases() checktest.Table {
	accepted := flowLog(func(d *ec2.FlowLogDetail) { d.Traffic = "ACCEPT" })
	a, b := subnet("subnet-a", "vpc-1", "eu-west-1a", false), subnet("subnet-b", "vpc-1", "eu-west-1b", false)
	away := subnet("subnet-c", "vpc-2", "eu-west-1c", false)
	toEC2 := func(d *ec2.EndpointDetail) { d.Service = "com.amazonaws.eu-west-1.ec2" }
	return checktest.Table{
		"ec2-vpc-flow-logs": {
			{Name: "all traffic", Resource: vpc(), Others: []check.Resource{accepted, flowLog(nil)}, Want: check.Pass},
			{Name: "rejected", Resource: vpc(), Others: []check.Resource{flowLog(func(d *ec2.FlowLogDetail) { d.Traffic = "REJECT" })}, Want: check.Pass},
			{Name: "accepted only", Resource: vpc(), Others: []check.Resource{accepted}, Want: check.Fail},
			{Name: "none", Resource: vpc(), Want: check.Fail},
			{Name: "another's", Resource: vpc(), Others: []check.Resource{flowLog(func(d *ec2.FlowLogDetail) { d.Of = "vpc-2" })}, Want: check.Fail},
			{Name: "not active", Resource: vpc(), Others: []check.Resource{flowLog(func(d *ec2.FlowLogDetail) { d.Status = "FAILED" })}, Want: check.Fail},
		},
		"ec2-vpc-subnets-in-several-zones": {
			{Name: "two zones", Resource: vpc(), Others: []check.Resource{a, b}, Want: check.Pass},
			{Name: "one zone", Resource: vpc(), Others: []check.Resource{a, away}, Want: check.Fail},
			{Name: "no subnet", Resource: vpc(), Others: []check.Resource{away}, Want: check.NotApplicable},
		},
		"ec2-vpc-endpoint-for-ec2": {
			{Name: "endpoint", Resource: vpc(), Others: []check.Resource{endpoint(toEC2)}, Want: check.Pass},
			{Name: "other service", Resource: vpc(), Others: []check.Resource{endpoint(nil)}, Want: check.Fail},
			{Name: "not there yet", Resource: vpc(), Others: []check.Resource{endpoint(func(d *ec2.EndpointDetail) { toEC2(d); d.State = "pending" })}, Want: check.Fail},
			{Name: "other VPC", Resource: vpc(), Others: []check.Resource{endpoint(func(d *ec2.EndpointDetail) { toEC2(d); d.VPC = "vpc-2" })}, Want: check.Fail},
		},
		"ec2-flow-log-delivers": {
			{Name: "delivered", Resource: flowLog(nil), Want: check.Pass},
			{Name: "failed", Resource: flowLog(func(d *ec2.FlowLogDetail) { d.Delivery, d.Error = "FAILED", "Access error" }), Want: check.Fail},
			{Name: "not yet", Resource: flowLog(func(d *ec2.FlowLogDetail) { d.Delivery = "" }), Want: check.NotApplicable},
		},
		"ec2-subnet-no-auto-public-ip": {
			{Name: "private", Resource: a, Want: check.Pass},
			{Name: "public", Resource: subnet("subnet-a", "vpc-1", "eu-west-1a", true), Want: check.Fail},
		},
	}
}

func peering(status string) ec2.Peering {
	return ec2.Peering{Resource: ref("vpc-peering-connection", "pcx-1", home), Detail: fact.Known(ec2.PeeringDetail{
		Status:    status,
		Requester: ec2.PeeringSide{VPC: "vpc-1", Ranges: []string{"10.0.0.0/16"}},
		Accepter:  ec2.PeeringSide{VPC: "vpc-2", Ranges: []string{"10.1.0.0/16", "2001:db8:1::/56"}},
	})}
}

func routes(of string, to ...string) ec2.RouteTable {
	d := ec2.RouteTableDetail{VPC: of, Peerings: []ec2.PeeringRoute{{Peering: "pcx-2", Range: "10.1.0.0/16"}}}
	for _, r := range to {
		d.Peerings = append(d.Peerings, ec2.PeeringRoute{Peering: "pcx-1", Range: r})
	}
	return ec2.RouteTable{Resource: ref("route-table", "rtb-1", home), Detail: fact.Known(d)}
}

func peeringCases() checktest.Table {
	over := func(table ec2.RouteTable) []check.Resource { return []check.Resource{table} }
	listed := func(lists fact.Of[map[string][]string]) []check.Resource {
		table := routes("vpc-1")
		table.Detail = fact.Known(ec2.RouteTableDetail{VPC: "vpc-1", Peerings: []ec2.PeeringRoute{{Peering: "pcx-1", List: "pl-1"}}})
		table.Lists = lists
		return over(table)
	}
	ranges := func(of ...string) fact.Of[map[string][]string] { return fact.Known(map[string][]string{"pl-1": of}) }
	return checktest.Table{"ec2-vpc-peering-least-routes": {
		{Name: "no route", Resource: peering("active"), Others: over(routes("vpc-1")), Want: check.Pass},
		{Name: "one subnet", Resource: peering("active"), Others: over(routes("vpc-1", "10.1.2.0/24")), Want: check.Pass},
		{Name: "whole peer", Resource: peering("active"), Others: over(routes("vpc-1", "10.1.2.0/24", "10.1.0.0/16")), Want: check.Fail},
		{Name: "more than the peer", Resource: peering("active"), Others: over(routes("vpc-1", "10.0.0.0/8")), Want: check.Fail},
		{Name: "whole peer in IPv6", Resource: peering("active"), Others: over(routes("vpc-1", "2001:db8:1::/56")), Want: check.Fail},
		{Name: "from the other side", Resource: peering("active"), Others: over(routes("vpc-2", "10.0.0.0/16")), Want: check.Fail},
		{Name: "everything", Resource: peering("active"), Others: over(routes("vpc-1", "::/0")), Want: check.Fail},
		{Name: "prefix list of a subnet", Resource: peering("active"), Others: listed(ranges("10.1.2.0/24")), Want: check.Pass},
		{Name: "prefix list of the whole peer", Resource: peering("active"), Others: listed(ranges("10.1.2.0/24", "10.1.0.0/16")), Want: check.Fail},
		{Name: "an unread prefix list", Resource: peering("active"), Others: listed(unreadLists), Want: check.NotAssessed},
		{Name: "deleted", Resource: peering("deleted"), Others: over(routes("vpc-1", "10.1.0.0/16")), Want: check.NotApplicable},
	}}
}

func networkInterface(change func(*ec2.InterfaceDetail)) ec2.NetworkInterface {
	d := ec2.InterfaceDetail{Type: "interface", Status: "in-use", SourceDestCheck: true}
	if change != nil {
		change(&d)
	}
	return ec2.NetworkInterface{Resource: ref("network-interface", "eni-1", home), Detail: fact.Known(d)}
}

func interfaceCases() checktest.Table {
	ofAWS := networkInterface(func(d *ec2.InterfaceDetail) {
		*d = ec2.InterfaceDetail{Type: "lambda", Status: "available", Manager: "amazon-elb"}
	})
	nat := networkInterface(func(d *ec2.InterfaceDetail) { d.Type, d.SourceDestCheck = "natGateway", false })
	address := func(d ec2.AddressDetail) ec2.Address {
		return ec2.Address{Resource: ref("elastic-ip", "eipalloc-1", home), Detail: fact.Known(d)}
	}
	return checktest.Table{
		"ec2-network-interface-source-dest-check": {
			{Name: "on", Resource: networkInterface(nil), Want: check.Pass},
			{Name: "off", Resource: networkInterface(func(d *ec2.InterfaceDetail) { d.SourceDestCheck = false }), Want: check.Fail},
			{Name: "managed", Resource: ofAWS, Want: check.NotApplicable},
			{Name: "NAT gateway", Resource: nat, Want: check.NotApplicable},
		},
		"ec2-network-interface-attached": {
			{Name: "attached", Resource: networkInterface(nil), Want: check.Pass},
			{Name: "left over", Resource: networkInterface(func(d *ec2.InterfaceDetail) { d.Status = "available" }), Want: check.Fail},
			{Name: "managed", Resource: ofAWS, Want: check.NotApplicable},
		},
		"ec2-elastic-ip-associated": {
			{Name: "in use", Resource: address(ec2.AddressDetail{IP: "198.51.100.1", Association: "eipassoc-1"}), Want: check.Pass},
			{Name: "unused", Resource: address(ec2.AddressDetail{IP: "198.51.100.1"}), Want: check.Fail},
			{Name: "of a load balancer", Resource: address(ec2.AddressDetail{IP: "198.51.100.1", Managed: "alb"}), Want: check.NotApplicable},
		},
	}
}
