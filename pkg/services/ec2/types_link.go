package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Endpoint is a VPC endpoint.
type Endpoint struct {
	model.Resource
	Detail fact.Of[EndpointDetail] `json:"detail"`
	// TakesPolicy is whether the endpoint's service heeds endpoint policies at all. AWS
	// shows a policy of endpoints to others as well.
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ServiceDetail.html
	TakesPolicy fact.Of[bool] `json:"takes_policy"`
}

// Kind implements check.Resource.
func (Endpoint) Kind() string { return "AWS::EC2::VPCEndpoint" }

// EndpointDetail is what DescribeVpcEndpoints tells.
type EndpointDetail struct {
	VPC     string   `json:"vpc"`
	Service string   `json:"service"`           // com.amazonaws.eu-west-1.s3
	Type    string   `json:"type"`              // Interface, Gateway, GatewayLoadBalancer, Resource, ServiceNetwork
	State   string   `json:"state"`             // AWS's word in lower case: available, pendingacceptance…
	Manager string   `json:"manager,omitempty"` // the service that holds it: eks.amazonaws.com; empty for the account's own
	Subnets []string `json:"subnets,omitempty"`
	Policy  string   `json:"policy,omitempty"` // a JSON document
}

// EndpointService is a service that the account offers to the VPCs of others.
type EndpointService struct {
	model.Resource
	Detail fact.Of[EndpointServiceDetail] `json:"detail"`
	// Principals lists who may connect, as ARNs; * is everybody.
	Principals fact.Of[[]string] `json:"principals"`
}

// Kind implements check.Resource.
func (EndpointService) Kind() string { return "AWS::EC2::VPCEndpointService" }

// EndpointServiceDetail is what DescribeVpcEndpointServiceConfigurations tells.
type EndpointServiceDetail struct {
	State              string `json:"state"` // Available, Pending, Deleting, Deleted, Failed
	AcceptanceRequired bool   `json:"acceptance_required"`
}

// TransitGateway is a transit gateway of the account.
type TransitGateway struct {
	model.Resource
	Detail fact.Of[TransitGatewayDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (TransitGateway) Kind() string { return "AWS::EC2::TransitGateway" }

// TransitGatewayDetail is what DescribeTransitGateways tells.
type TransitGatewayDetail struct {
	State      string `json:"state"`       // available, deleted…
	AutoAccept string `json:"auto_accept"` // enable or disable
}

// VPNConnection is a site-to-site VPN connection. Its configuration holds the
// tunnels' keys and is never kept.
type VPNConnection struct {
	model.Resource
	Detail fact.Of[VPNDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (VPNConnection) Kind() string { return "AWS::EC2::VPNConnection" }

// VPNDetail is what DescribeVpnConnections tells.
type VPNDetail struct {
	State   string      `json:"state"` // pending, available, deleting, deleted
	Tunnels []VPNTunnel `json:"tunnels,omitempty"`
}

// VPNTunnel is one of the two tunnels of a VPN connection.
type VPNTunnel struct {
	Address string `json:"address"`          // outside, on AWS's side
	Status  string `json:"status,omitempty"` // UP or DOWN; empty where AWS tells nothing of it
	Logged  bool   `json:"logged"`
}

// ClientVPN is a client VPN endpoint.
type ClientVPN struct {
	model.Resource
	Detail fact.Of[ClientVPNDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (ClientVPN) Kind() string { return "AWS::EC2::ClientVpnEndpoint" }

// ClientVPNDetail is what DescribeClientVpnEndpoints tells.
type ClientVPNDetail struct {
	Status string `json:"status"` // pending-associate, available, deleting, deleted
	Logged bool   `json:"logged"` // connections are logged
}
