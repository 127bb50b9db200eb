package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func endpoints(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	var takes collect.Memo[bool]
	pages := sdk.NewDescribeVpcEndpointsPaginator(client, &sdk.DescribeVpcEndpointsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeVpcEndpointsOutput) []types.VpcEndpoint {
		return collect.RequiredList("VpcEndpoints", o.VpcEndpoints)
	},
		func(r *collect.Reading, p types.VpcEndpoint) *ec2.Endpoint {
			if foreign(s, p.OwnerId) {
				return nil
			}
			return &ec2.Endpoint{
				TakesPolicy: takes.Once(aws.ToString(p.ServiceName), func() fact.Of[bool] { return takesPolicy(r, client, p.ServiceName) }),
				Resource:    resource(s, "vpc-endpoint", p.VpcEndpointId),
				Detail: fact.Known(ec2.EndpointDetail{
					VPC:     aws.ToString(p.VpcId),
					Service: aws.ToString(p.ServiceName),
					Type:    string(p.VpcEndpointType),
					// The SDK's model writes Available, AWS's answers available.
					State:   strings.ToLower(string(p.State)),
					Manager: requester(aws.ToBool(p.RequesterManaged), nil),
					Subnets: p.SubnetIds,
					Policy:  s.Policy(aws.ToString(p.PolicyDocument)),
				}),
			}
		})
}

// takesPolicy asks whether a service heeds endpoint policies.
func takesPolicy(r *collect.Reading, client *sdk.Client, service *string) fact.Of[bool] {
	return collect.Get(r, client.DescribeVpcEndpointServices, &sdk.DescribeVpcEndpointServicesInput{ServiceNames: []string{aws.ToString(service)}},
		func(o *sdk.DescribeVpcEndpointServicesOutput) bool {
			return collect.Required("VpcEndpointPolicySupported", o.ServiceDetails[0].VpcEndpointPolicySupported)
		})
}

// endpointServices are those of the account; DescribeVpcEndpointServices would
// list AWS's, too.
func endpointServices(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeVpcEndpointServiceConfigurationsPaginator(client,
		&sdk.DescribeVpcEndpointServiceConfigurationsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.DescribeVpcEndpointServiceConfigurationsOutput) []types.ServiceConfiguration {
			return o.ServiceConfigurations
		},
		func(r *collect.Reading, c types.ServiceConfiguration) *ec2.EndpointService {
			return &ec2.EndpointService{
				Resource: resource(s, "vpc-endpoint-service", c.ServiceId),
				Detail: collect.From(r, c, func(c types.ServiceConfiguration) ec2.EndpointServiceDetail {
					return ec2.EndpointServiceDetail{
						State: string(c.ServiceState), AcceptanceRequired: collect.Required("AcceptanceRequired", c.AcceptanceRequired),
					}
				}),
				Principals: collect.Ask(r, func(ctx context.Context) ([]string, error) {
					return principals(ctx, client, c.ServiceId)
				}),
			}
		})
}

func principals(ctx context.Context, client *sdk.Client, service *string) ([]string, error) {
	pages := sdk.NewDescribeVpcEndpointServicePermissionsPaginator(client,
		&sdk.DescribeVpcEndpointServicePermissionsInput{ServiceId: service, MaxResults: aws.Int32(most)})
	return collect.Pages(ctx, pages, func(o *sdk.DescribeVpcEndpointServicePermissionsOutput) []string {
		var found []string
		for _, p := range collect.RequiredList("AllowedPrincipals", o.AllowedPrincipals) {
			principal := collect.RequiredText("Principal", p.Principal)
			if principal != "*" && !strings.HasSuffix(principal, ".amazonaws.com") {
				collect.RequiredARN("Principal", p.Principal)
			}
			found = append(found, principal)
		}
		return found
	})
}

func transitGateways(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeTransitGatewaysPaginator(client, &sdk.DescribeTransitGatewaysInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeTransitGatewaysOutput) []types.TransitGateway { return o.TransitGateways },
		func(r *collect.Reading, g types.TransitGateway) *ec2.TransitGateway {
			if foreign(s, g.OwnerId) {
				return nil
			}
			return &ec2.TransitGateway{
				Resource: s.Resource(collect.RequiredARN("TransitGatewayArn", g.TransitGatewayArn), identifier("transit-gateway", g.TransitGatewayId)),
				Detail: collect.From(r, g, func(g types.TransitGateway) ec2.TransitGatewayDetail {
					auto := collect.Required("Options", g.Options).AutoAcceptSharedAttachments
					return ec2.TransitGatewayDetail{
						State:      string(collect.RequiredWord("State", g.State)),
						AutoAccept: string(collect.Known("AutoAcceptSharedAttachments", auto, auto.Values()...)),
					}
				}),
			}
		})
}

func vpnConnections(ctx context.Context, s *collect.Session) error {
	out, err := sdk.NewFromConfig(s.Config).DescribeVpnConnections(ctx, &sdk.DescribeVpnConnectionsInput{})
	if err != nil {
		return err
	}
	return collect.EachOf(ctx, s, out.VpnConnections, func(r *collect.Reading, v types.VpnConnection) *ec2.VPNConnection {
		return &ec2.VPNConnection{
			Resource: resource(s, "vpn-connection", v.VpnConnectionId),
			Detail: collect.From(r, v, func(v types.VpnConnection) ec2.VPNDetail {
				return ec2.VPNDetail{State: string(v.State), Tunnels: tunnels(v)}
			}),
		}
	})
}

// tunnels joins what AWS tells of a connection's tunnels in two places.
func tunnels(v types.VpnConnection) []ec2.VPNTunnel {
	status := map[string]string{}
	var all []ec2.VPNTunnel
	for _, t := range v.VgwTelemetry {
		status[aws.ToString(t.OutsideIpAddress)] = string(t.Status)
	}
	if v.Options != nil {
		for _, o := range v.Options.TunnelOptions {
			t := ec2.VPNTunnel{Address: aws.ToString(o.OutsideIpAddress)}
			t.Status = status[t.Address]
			if o.LogOptions != nil && o.LogOptions.CloudWatchLogOptions != nil {
				t.Logged = collect.Required("LogEnabled", o.LogOptions.CloudWatchLogOptions.LogEnabled)
			}
			delete(status, t.Address)
			all = append(all, t)
		}
	}
	for _, t := range v.VgwTelemetry { // old connections have no options
		if address := aws.ToString(t.OutsideIpAddress); status[address] != "" {
			all = append(all, ec2.VPNTunnel{Address: address, Status: status[address]})
		}
	}
	return all
}

func clientVPNs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeClientVpnEndpointsPaginator(client, &sdk.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeClientVpnEndpointsOutput) []types.ClientVpnEndpoint { return o.ClientVpnEndpoints },
		func(r *collect.Reading, v types.ClientVpnEndpoint) *ec2.ClientVPN {
			return &ec2.ClientVPN{Resource: resource(s, "client-vpn-endpoint", v.ClientVpnEndpointId), Detail: collect.From(r, v, clientVPN)}
		})
}

func clientVPN(v types.ClientVpnEndpoint) ec2.ClientVPNDetail {
	var d ec2.ClientVPNDetail
	if v.Status != nil {
		d.Status = string(v.Status.Code)
	}
	if v.ConnectionLogOptions != nil {
		d.Logged = collect.Required("ConnectionLogOptions.Enabled", v.ConnectionLogOptions.Enabled)
	}
	return d
}
