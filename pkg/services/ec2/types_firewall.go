package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// SecurityGroup is a security group.
type SecurityGroup struct {
	model.Resource
	Detail fact.Of[GroupDetail] `json:"detail"`
	// Lists are the ranges behind the prefix lists that the group names, by the lists'
	// ids, as far as they are Wide: a list has up to a thousand ranges, and a thousand
	// rules may name it.
	Lists fact.Of[map[string][]string] `json:"lists"`
	// Idle is whether this is the default group of a default VPC in which nothing is.
	Idle fact.Of[bool] `json:"idle"`
	// Interfaces is how many network interfaces of the region bear the group. All
	// that a group can protect has one.
	Interfaces fact.Of[int] `json:"interfaces"`
}

// Kind implements check.Resource.
func (SecurityGroup) Kind() string { return "AWS::EC2::SecurityGroup" }

// GroupDetail is what DescribeSecurityGroups tells.
type GroupDetail struct {
	Name    string       `json:"name"`
	Manager string       `json:"manager,omitempty"` // the account that shares the group: "account 444455556666"; empty for one of this account
	Ingress []Permission `json:"ingress,omitempty"`
	Egress  []Permission `json:"egress,omitempty"`
}

// Permission is a rule of a security group. An absent port stands for all.
type Permission struct {
	Protocol    string   `json:"protocol"` // tcp, udp, icmp, icmpv6, a number, or -1 for all
	From        *int32   `json:"from,omitempty"`
	To          *int32   `json:"to,omitempty"`
	IPv4        []string `json:"ipv4,omitempty"`
	IPv6        []string `json:"ipv6,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	PrefixLists []string `json:"prefix_lists,omitempty"`
}

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	model.Resource
	Detail fact.Of[InterfaceDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (NetworkInterface) Kind() string { return "AWS::EC2::NetworkInterface" }

// InterfaceDetail is what DescribeNetworkInterfaces tells.
type InterfaceDetail struct {
	Type            string `json:"type"`              // interface, natGateway, lambda, vpc_endpoint…
	Status          string `json:"status"`            // available (attached to nothing), in-use…
	Manager         string `json:"manager,omitempty"` // the service that holds it: eks.amazonaws.com; empty for the account's own
	SourceDestCheck bool   `json:"source_dest_check"`
}

// NetworkACL is a network access control list.
type NetworkACL struct {
	model.Resource
	Detail fact.Of[ACLDetail] `json:"detail"`
	// Idle is whether this is the default list of a default VPC in which nothing is.
	Idle fact.Of[bool] `json:"idle"`
}

// Kind implements check.Resource.
func (NetworkACL) Kind() string { return "AWS::EC2::NetworkAcl" }

// ACLDetail is what DescribeNetworkAcls tells.
type ACLDetail struct {
	Default bool       `json:"default"`
	Subnets []string   `json:"subnets,omitempty"`
	Ingress []ACLEntry `json:"ingress,omitempty"` // in the order in which they count
}

// ACLEntry is an inbound rule. An absent port stands for all.
type ACLEntry struct {
	Number   int32  `json:"number"`
	Allow    bool   `json:"allow"`
	Protocol string `json:"protocol"` // a number, or -1 for all
	Range    string `json:"range"`    // in IPv4 or IPv6
	From     *int32 `json:"from,omitempty"`
	To       *int32 `json:"to,omitempty"`
}
