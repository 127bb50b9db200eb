package ec2_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// byDefault is the policy that AWS gives an endpoint.
const byDefault = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

func endpoint(change func(*ec2.EndpointDetail)) ec2.Endpoint {
	d := ec2.EndpointDetail{
		VPC: "vpc-1", Service: "com.amazonaws.eu-west-1.sqs", Type: "Interface", State: "available",
		Subnets: []string{"subnet-a", "subnet-b"}, Policy: byDefault,
	}
	if change != nil {
		change(&d)
	}
	return ec2.Endpoint{Resource: ref("vpc-endpoint", "vpce-1", home), TakesPolicy: fact.Known(true), Detail: fact.Known(d)}
}

func policy(document string) ec2.Endpoint {
	return endpoint(func(d *ec2.EndpointDetail) { d.Policy = document })
}

func endpointService(state string, accept bool, principals ...string) ec2.EndpointService {
	return ec2.EndpointService{
		Resource:   ref("vpc-endpoint-service", "vpce-svc-1", home),
		Detail:     fact.Known(ec2.EndpointServiceDetail{State: state, AcceptanceRequired: accept}),
		Principals: fact.Known(principals),
	}
}

func endpointCases() checktest.Table {
	statement := func(rest string) ec2.Endpoint { return policy(`{"Statement":[{"Effect":"Allow",` + rest + `}]}`) }
	managed := endpoint(func(d *ec2.EndpointDetail) { d.Manager = "an AWS service" })
	taking := func(takes fact.Of[bool]) ec2.Endpoint {
		p := endpoint(func(d *ec2.EndpointDetail) { d.Service = "com.amazonaws.eu-west-1.email-smtp" })
		p.TakesPolicy = takes
		return p
	}
	offered := endpoint(func(d *ec2.EndpointDetail) { d.Service = "cn.com.amazonaws.vpce.cn-north-1.vpce-svc-2" })
	offered.TakesPolicy = fact.Known(false)
	own := statement(`"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"*","Resource":"*"`)
	foreign := statement(`"Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sqs:*","Resource":"*"`)
	return checktest.Table{
		"ec2-vpc-endpoint-policy-limited": {
			{Name: "own account", Resource: own, Want: check.Pass},
			{Name: "own organization", Resource: statement(`"Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}`), Want: check.Pass},
			{Name: "own bucket", Resource: statement(`"Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mine/*"`), Want: check.Pass},
			{Name: "resources of the owner", Resource: statement(`"Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"111122223333"}}`), Want: check.Pass},
			{Name: "resources of the owner's organization", Resource: policy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceOrgID":"${aws:ResourceOrgID}"}}}]}`), Want: check.Fail},
			{Name: "resources of a fixed organization", Resource: statement(`"Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-abcde12345"}}`), Want: check.Pass},
			{Name: "others' buckets denied", Resource: endpoint(func(d *ec2.EndpointDetail) {
				d.Service, d.Policy = "com.amazonaws.eu-west-1.s3", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
					{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"s3:ResourceAccount":"111122223333"}}}]}`
			}), Want: check.Pass},
			{Name: "every bucket there is", Resource: statement(`"Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::*"`), Want: check.Fail},
			{Name: "one action", Resource: statement(`"Principal":"*","Action":"sqs:SendMessage","Resource":"*"`), Want: check.Pass},
			{Name: "by default", Resource: endpoint(nil), Want: check.Fail},
			{Name: "all of the service", Resource: statement(`"Principal":{"AWS":"*"},"Action":["sqs:*"],"Resource":["*"]`), Want: check.Fail},
			{Name: "all but one action", Resource: statement(`"Principal":"*","NotAction":"sqs:PurgeQueue","Resource":"*"`), Want: check.Fail},
			{Name: "of a service whose endpoints take none", Resource: taking(fact.Known(false)), Want: check.NotApplicable},
			{Name: "nobody knows whether it takes one", Resource: taking(fact.Missing[bool](fact.Denied, "ec2:DescribeVpcEndpointServices")), Want: check.NotAssessed},
			{Name: "nonsense", Resource: policy(`{`), Want: check.NotAssessed},
			{Name: "no policy", Resource: policy(""), Want: check.NotApplicable},
			{Name: "managed", Resource: managed, Want: check.NotApplicable},
			{Name: "another's service", Resource: offered, Want: check.NotApplicable, Reports: []string{"prowler-cloud/prowler#12841", "prowler-cloud/prowler#12834", "prowler-cloud/prowler#2929"}},
		},
		"ec2-vpc-endpoint-no-foreign-account": policytest.InZone([]checktest.Case{
			{Name: "own account", Resource: own, Want: check.Pass},
			{Name: "everybody is another check's", Resource: endpoint(nil), Want: check.Pass},
			{Name: "foreign account", Resource: foreign, Want: check.Fail},
			{Name: "managed", Resource: managed, Want: check.NotApplicable},
		}),
		"ec2-vpc-endpoint-in-several-zones": {
			{Name: "two", Resource: endpoint(nil), Want: check.Pass},
			{Name: "one", Resource: endpoint(func(d *ec2.EndpointDetail) { d.Subnets = d.Subnets[:1] }), Want: check.Fail},
			{Name: "gateway", Resource: endpoint(func(d *ec2.EndpointDetail) { d.Type, d.Subnets = "Gateway", nil }), Want: check.NotApplicable},
		},
		"ec2-vpc-endpoint-service-not-for-everybody": {
			{Name: "nobody", Resource: endpointService("Available", true), Want: check.Pass},
			{Name: "one account", Resource: endpointService("Available", true, "arn:aws:iam::444455556666:root"), Want: check.Pass},
			{Name: "everybody", Resource: endpointService("Available", true, "arn:aws:iam::444455556666:root", "*"), Want: check.Fail},
			{Name: "deleted", Resource: endpointService("Deleted", true, "*"), Want: check.NotApplicable},
		},
		"ec2-vpc-endpoint-service-acceptance": {
			{Name: "required", Resource: endpointService("Available", true), Want: check.Pass},
			{Name: "not required", Resource: endpointService("Available", false), Want: check.Fail},
			{Name: "deleting", Resource: endpointService("Deleting", false), Want: check.NotApplicable},
		},
	}
}

func vpn(state string, tunnels ...ec2.VPNTunnel) ec2.VPNConnection {
	return ec2.VPNConnection{Resource: ref("vpn-connection", "vpn-1", home), Detail: fact.Known(ec2.VPNDetail{State: state, Tunnels: tunnels})}
}

func linkCases() checktest.Table {
	one, two := ec2.VPNTunnel{Address: "203.0.113.1", Status: "UP", Logged: true}, ec2.VPNTunnel{Address: "203.0.113.2", Status: "UP", Logged: true}
	down, silent := two, two
	down.Status, silent.Logged = "DOWN", false
	gateway := func(state, accept string) ec2.TransitGateway {
		return ec2.TransitGateway{Resource: ref("transit-gateway", "tgw-1", home), Detail: fact.Known(ec2.TransitGatewayDetail{State: state, AutoAccept: accept})}
	}
	client := func(status string, logged bool) ec2.ClientVPN {
		return ec2.ClientVPN{Resource: ref("client-vpn-endpoint", "cvpn-1", home), Detail: fact.Known(ec2.ClientVPNDetail{Status: status, Logged: logged})}
	}
	return checktest.Table{
		"ec2-transit-gateway-no-auto-accept": {
			{Name: "off", Resource: gateway("available", "disable"), Want: check.Pass},
			{Name: "on", Resource: gateway("available", "enable"), Want: check.Fail},
			{Name: "deleted", Resource: gateway("deleted", "enable"), Want: check.NotApplicable},
		},
		"ec2-vpn-tunnels-up": {
			{Name: "both", Resource: vpn("available", one, two), Want: check.Pass},
			{Name: "one down", Resource: vpn("available", one, down), Want: check.Fail},
			{Name: "one only", Resource: vpn("available", one), Want: check.Fail},
			{Name: "deleted", Resource: vpn("deleted", down), Want: check.NotApplicable},
		},
		"ec2-vpn-logging": {
			{Name: "both", Resource: vpn("available", one, two), Want: check.Pass},
			{Name: "one silent", Resource: vpn("available", one, silent), Want: check.Fail},
			{Name: "no tunnels", Resource: vpn("available"), Want: check.Fail},
			{Name: "deleted", Resource: vpn("deleted", silent), Want: check.NotApplicable},
		},
		"ec2-client-vpn-logging": {
			{Name: "on", Resource: client("available", true), Want: check.Pass},
			{Name: "off", Resource: client("pending-associate", false), Want: check.Fail},
			{Name: "deleted", Resource: client("deleted", false), Want: check.NotApplicable},
		},
	}
}
