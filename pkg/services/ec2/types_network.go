package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// VPC is a virtual private cloud.
type VPC struct {
	model.Resource
	Detail fact.Of[VPCDetail] `json:"detail"`
	// Idle is whether this is the region's default VPC and nothing is in it.
	Idle fact.Of[bool] `json:"idle"`
}

// Kind implements check.Resource.
func (VPC) Kind() string { return "AWS::EC2::VPC" }

// VPCDetail is what DescribeVpcs tells.
type VPCDetail struct {
	State string `json:"state"` // AWS's word
}

// Subnet is a subnet.
type Subnet struct {
	model.Resource
	Detail fact.Of[SubnetDetail] `json:"detail"`
	// Idle is whether AWS made the subnet with a default VPC in which nothing is.
	Idle fact.Of[bool] `json:"idle"`
}

// Kind implements check.Resource.
func (Subnet) Kind() string { return "AWS::EC2::Subnet" }

// SubnetDetail is what DescribeSubnets tells.
type SubnetDetail struct {
	State      string `json:"state"` // AWS's word
	VPC        string `json:"vpc"`
	Zone       string `json:"zone"`
	AutoPublic bool   `json:"auto_public"` // instances are given a public IPv4 address
}

// FlowLog is a flow log of a VPC, subnet, interface or transit gateway.
type FlowLog struct {
	model.Resource
	Detail fact.Of[FlowLogDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (FlowLog) Kind() string { return "AWS::EC2::FlowLog" }

// FlowLogDetail is what DescribeFlowLogs tells.
type FlowLogDetail struct {
	Of       string `json:"of"`                 // what is logged, vpc-…, subnet-…, eni-…
	Status   string `json:"status"`             // ACTIVE
	Traffic  string `json:"traffic,omitempty"`  // ACCEPT, REJECT or ALL; absent for transit gateways
	Delivery string `json:"delivery,omitempty"` // SUCCESS or FAILED
	Error    string `json:"error,omitempty"`    // why delivery failed, in AWS's words
}

// RouteTable is a route table.
type RouteTable struct {
	model.Resource
	Detail fact.Of[RouteTableDetail] `json:"detail"`
	// Lists are the ranges behind the prefix lists of routes over a peering connection,
	// by the lists' ids.
	Lists fact.Of[map[string][]string] `json:"lists"`
}

// Kind implements check.Resource.
func (RouteTable) Kind() string { return "AWS::EC2::RouteTable" }

// RouteTableDetail is what DescribeRouteTables tells; routes over a peering
// connection alone are kept.
type RouteTableDetail struct {
	VPC      string         `json:"vpc"`
	Peerings []PeeringRoute `json:"peerings,omitempty"`
}

// PeeringRoute is a route over a peering connection.
type PeeringRoute struct {
	Peering string `json:"peering"`
	Range   string `json:"range,omitempty"`
	List    string `json:"list,omitempty"` // id of a prefix list, in place of a range
}

// Peering is a VPC peering connection.
type Peering struct {
	model.Resource
	Detail fact.Of[PeeringDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Peering) Kind() string { return "AWS::EC2::VPCPeeringConnection" }

// PeeringDetail is what DescribeVpcPeeringConnections tells.
type PeeringDetail struct {
	Status    string      `json:"status"` // active, pending-acceptance, deleted…
	Requester PeeringSide `json:"requester"`
	Accepter  PeeringSide `json:"accepter"`
}

// PeeringSide is one of the two VPCs that are peers.
type PeeringSide struct {
	VPC    string   `json:"vpc"`
	Ranges []string `json:"ranges,omitempty"`
}

// Address is an Elastic IP address.
type Address struct {
	model.Resource
	Detail fact.Of[AddressDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Address) Kind() string { return "AWS::EC2::EIP" }

// AddressDetail is what DescribeAddresses tells.
type AddressDetail struct {
	IP          string `json:"ip"`
	Association string `json:"association,omitempty"`
	Managed     string `json:"managed,omitempty"` // the service that holds it: alb, nlb, rnat
}
