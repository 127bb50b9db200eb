package collect_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

const endpointPolicy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

const gatewayARN = "arn:aws:ec2:eu-west-1:111122223333:transit-gateway/tgw-1"

func fullLinks(f *fake.Fake) {
	fake.OnPages[sdk.DescribeVpcEndpointsInput](f,
		&sdk.DescribeVpcEndpointsOutput{NextToken: more, VpcEndpoints: []types.VpcEndpoint{{
			VpcEndpointId: aws.String("vpce-1"), VpcId: aws.String("vpc-1"), OwnerId: owner, ServiceName: aws.String("com.amazonaws.eu-west-1.ec2"),
			VpcEndpointType: types.VpcEndpointTypeInterface, State: "available", RequesterManaged: aws.Bool(true),
			SubnetIds: []string{"subnet-1"}, PolicyDocument: aws.String(endpointPolicy),
		}}},
		&sdk.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{{VpcEndpointId: aws.String("vpce-2"), OwnerId: stranger}}})

	fake.OnPages[sdk.DescribeVpcEndpointServicesInput](f,
		&sdk.DescribeVpcEndpointServicesOutput{NextToken: more, ServiceDetails: []types.ServiceDetail{{
			ServiceName: aws.String("com.amazonaws.eu-west-1.email-smtp"), VpcEndpointPolicySupported: aws.Bool(false),
		}}},
		&sdk.DescribeVpcEndpointServicesOutput{ServiceDetails: []types.ServiceDetail{{
			ServiceName: aws.String("com.amazonaws.eu-west-1.ec2"), VpcEndpointPolicySupported: aws.Bool(true),
		}}})

	fake.OnPages[sdk.DescribeVpcEndpointServiceConfigurationsInput](f,
		&sdk.DescribeVpcEndpointServiceConfigurationsOutput{NextToken: more, ServiceConfigurations: []types.ServiceConfiguration{{
			ServiceId: aws.String("vpce-svc-1"), ServiceName: aws.String("com.amazonaws.vpce.eu-west-1.vpce-svc-1"),
			ServiceState: types.ServiceStateAvailable, AcceptanceRequired: aws.Bool(true),
		}}},
		&sdk.DescribeVpcEndpointServiceConfigurationsOutput{ServiceConfigurations: []types.ServiceConfiguration{{
			ServiceId: aws.String("vpce-svc-2"), ServiceName: aws.String("com.amazonaws.vpce.eu-west-1.vpce-svc-2"),
			ServiceState: types.ServiceStateDeleted, AcceptanceRequired: aws.Bool(false),
		}}})
	fake.On(f, func(in *sdk.DescribeVpcEndpointServicePermissionsInput) (*sdk.DescribeVpcEndpointServicePermissionsOutput, error) {
		if aws.ToString(in.ServiceId) == "vpce-svc-2" {
			return &sdk.DescribeVpcEndpointServicePermissionsOutput{}, nil
		}
		if in.NextToken == nil {
			return &sdk.DescribeVpcEndpointServicePermissionsOutput{NextToken: more, AllowedPrincipals: []types.AllowedPrincipal{
				{Principal: aws.String("arn:aws:iam::444455556666:root"), PrincipalType: types.PrincipalTypeAccount},
			}}, nil
		}
		return &sdk.DescribeVpcEndpointServicePermissionsOutput{AllowedPrincipals: []types.AllowedPrincipal{
			{Principal: aws.String("*"), PrincipalType: types.PrincipalTypeAll},
		}}, nil
	})

	fake.OnPages[sdk.DescribeTransitGatewaysInput](f,
		&sdk.DescribeTransitGatewaysOutput{NextToken: more, TransitGateways: []types.TransitGateway{{
			TransitGatewayId: aws.String("tgw-1"), TransitGatewayArn: aws.String(gatewayARN), OwnerId: owner, State: types.TransitGatewayStateAvailable,
			Options: &types.TransitGatewayOptions{AutoAcceptSharedAttachments: types.AutoAcceptSharedAttachmentsValueEnable},
		}}},
		&sdk.DescribeTransitGatewaysOutput{TransitGateways: []types.TransitGateway{{TransitGatewayId: aws.String("tgw-2"), OwnerId: stranger}}})

	logged := &types.VpnTunnelLogOptions{CloudWatchLogOptions: &types.CloudWatchLogOptions{LogEnabled: aws.Bool(true)}}
	fake.On(f, func(*sdk.DescribeVpnConnectionsInput) (*sdk.DescribeVpnConnectionsOutput, error) {
		return &sdk.DescribeVpnConnectionsOutput{VpnConnections: []types.VpnConnection{
			{
				VpnConnectionId: aws.String("vpn-1"), State: types.VpnStateAvailable,
				Options: &types.VpnConnectionOptions{TunnelOptions: []types.TunnelOption{
					{OutsideIpAddress: aws.String("203.0.113.1"), PreSharedKey: aws.String("never kept"), LogOptions: logged},
					{OutsideIpAddress: aws.String("203.0.113.2")},
				}},
				VgwTelemetry: []types.VgwTelemetry{
					{OutsideIpAddress: aws.String("203.0.113.2"), Status: types.TelemetryStatusDown},
					{OutsideIpAddress: aws.String("203.0.113.1"), Status: types.TelemetryStatusUp},
				},
			},
			{
				VpnConnectionId: aws.String("vpn-2"), State: types.VpnStateDeleted,
				VgwTelemetry: []types.VgwTelemetry{{OutsideIpAddress: aws.String("203.0.113.3"), Status: types.TelemetryStatusDown}},
			},
		}}, nil
	})

	fake.OnPages[sdk.DescribeClientVpnEndpointsInput](f,
		&sdk.DescribeClientVpnEndpointsOutput{NextToken: more, ClientVpnEndpoints: []types.ClientVpnEndpoint{{
			ClientVpnEndpointId:  aws.String("cvpn-endpoint-1"),
			Status:               &types.ClientVpnEndpointStatus{Code: types.ClientVpnEndpointStatusCodeAvailable},
			ConnectionLogOptions: &types.ConnectionLogResponseOptions{Enabled: aws.Bool(true)},
		}}},
		&sdk.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: []types.ClientVpnEndpoint{{
			ClientVpnEndpointId:  aws.String("cvpn-endpoint-2"),
			Status:               &types.ClientVpnEndpointStatus{Code: types.ClientVpnEndpointStatusCodePendingAssociate},
			ConnectionLogOptions: &types.ConnectionLogResponseOptions{Enabled: aws.Bool(false)},
		}}})
}

func wantLinks() []check.Resource {
	return []check.Resource{
		ec2.Endpoint{Resource: ref("vpc-endpoint", "vpce-1"), Detail: fact.Known(ec2.EndpointDetail{
			VPC: "vpc-1", Service: "com.amazonaws.eu-west-1.ec2", Type: "Interface", State: "available", ManagedByAWS: true,
			Subnets: []string{"subnet-1"}, Policy: endpointPolicy,
		}), TakesPolicy: fact.Known(true)},
		ec2.EndpointService{
			Resource:   ref("vpc-endpoint-service", "vpce-svc-1"),
			Detail:     fact.Known(ec2.EndpointServiceDetail{Name: "com.amazonaws.vpce.eu-west-1.vpce-svc-1", State: "Available", AcceptanceRequired: true}),
			Principals: fact.Known([]string{"arn:aws:iam::444455556666:root", "*"}),
		},
		ec2.EndpointService{
			Resource:   ref("vpc-endpoint-service", "vpce-svc-2"),
			Detail:     fact.Known(ec2.EndpointServiceDetail{Name: "com.amazonaws.vpce.eu-west-1.vpce-svc-2", State: "Deleted"}),
			Principals: fact.Known[[]string](nil),
		},
		ec2.TransitGateway{Resource: at(gatewayARN, "tgw-1"), Detail: fact.Known(ec2.TransitGatewayDetail{State: "available", AutoAccept: "enable"})},
		ec2.VPNConnection{Resource: ref("vpn-connection", "vpn-1"), Detail: fact.Known(ec2.VPNDetail{State: "available", Tunnels: []ec2.VPNTunnel{
			{Address: "203.0.113.1", Status: "UP", Logged: true}, {Address: "203.0.113.2", Status: "DOWN"},
		}})},
		ec2.VPNConnection{Resource: ref("vpn-connection", "vpn-2"), Detail: fact.Known(ec2.VPNDetail{State: "deleted", Tunnels: []ec2.VPNTunnel{
			{Address: "203.0.113.3", Status: "DOWN"},
		}})},
		ec2.ClientVPN{Resource: ref("client-vpn-endpoint", "cvpn-endpoint-1"), Detail: fact.Known(ec2.ClientVPNDetail{Status: "available", Logged: true})},
		ec2.ClientVPN{Resource: ref("client-vpn-endpoint", "cvpn-endpoint-2"), Detail: fact.Known(ec2.ClientVPNDetail{Status: "pending-associate"})},
	}
}
