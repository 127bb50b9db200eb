package ec2

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func endpointRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-vpc-endpoint-policy-limited", model.Medium, endpointLimited),
		check.Across("ec2-vpc-endpoint-no-foreign-account", model.High, endpointNotForeign, check.Using[policyrule.Zone]()),
		check.For("ec2-vpc-endpoint-in-several-zones", model.Low, endpointZones),
		check.For("ec2-vpc-endpoint-service-not-for-everybody", model.High, serviceNotForEverybody),
		check.For("ec2-vpc-endpoint-service-acceptance", model.Medium, serviceAcceptance),
	}
}

// policyOf is the policy of an endpoint that has one to choose. It ends the rule for
// others with the verdict.
func policyOf(e *check.Evidence, p Endpoint) (policy iampolicy.Policy, actions []string, without *check.Verdict) {
	d := check.Read(e, p.Detail)
	switch {
	case d.Policy == "":
		return policy, nil, new(check.Inapplicable("endpoints of this kind take no policy"))
	case !check.Read(e, p.TakesPolicy):
		return policy, nil, new(check.Inapplicable("endpoints to " + d.Service + " heed no policy"))
	}
	return policyrule.Parse(d.Policy, "ec2:DescribeVpcEndpoints"), reachable(d.Service), nil
}

// reachable are the actions that can be asked for through an endpoint: what its policy
// says of other services changes nothing. None are all. Only of these is the name of the
// service surely that of its actions.
// https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
func reachable(service string) []string {
	name := service[strings.LastIndexByte(service, '.')+1:]
	if name == "s3" || name == "dynamodb" {
		return []string{name + ":*"}
	}
	return nil
}

func endpointLimited(e *check.Evidence, p Endpoint) check.Verdict {
	policy, actions, without := policyOf(e, p)
	if without != nil {
		return *without
	}
	for _, grant := range policy.EvaluateEndpoint(policyrule.Owner(p.Ref), actions...).At(iampolicy.Public) {
		// A list of resources bounds what anyone can do: data cannot leave to a
		// stranger's bucket. Only with neither bound is the endpoint wide open.
		if openResources(grant.Resources) && slices.ContainsFunc(grant.Actions, allActions) {
			if !check.Read(e, p.TakesPolicy) {
				return check.Inapplicable("endpoints of this service take no policy")
			}
			return check.Failed(policyrule.Because(grant.Statement+" allows everybody everything", grant.Why))
		}
	}
	return check.Passed("no statement allows everybody everything")
}

// openResources reports whether the resources may be anybody's. What a statement
// excepts ("not X") leaves all the rest.
func openResources(resources []string) bool {
	return slices.ContainsFunc(resources, func(r string) bool {
		parts := strings.SplitN(r, ":", 6)
		return strings.HasPrefix(r, "not ") || strings.Trim(r, "*") == "" || len(parts) == 6 && strings.Trim(parts[5], "*/") == ""
	})
}

// allActions reports whether a pattern is of all actions of a service at least.
// What a statement excepts ("not X") leaves all the rest.
func allActions(pattern string) bool {
	return pattern == "*" || strings.HasSuffix(pattern, ":*") || strings.HasPrefix(pattern, "not ")
}

func endpointNotForeign(e *check.Evidence, p Endpoint) check.Verdict {
	policy, actions, without := policyOf(e, p)
	if without != nil {
		return *without
	}
	zone := policyrule.ZoneOf(e, p.Ref)
	var unknown []string
	for _, grant := range policy.EvaluateEndpoint(zone.Zone, actions...).At(iampolicy.CrossAccount, iampolicy.Organization) {
		if found := grant.Parties.Named(iampolicy.Foreign); len(found) > 0 {
			return check.Failed(grant.Statement + " allows " + check.List(found))
		}
		unknown = append(unknown, grant.Parties.Named(iampolicy.Unknown)...)
	}
	if len(unknown) > 0 {
		zone.Stop("ec2:DescribeVpcEndpoints", unknown)
	}
	return check.Passed("no statement names another account")
}

func endpointZones(e *check.Evidence, p Endpoint) check.Verdict {
	d := check.Read(e, p.Detail)
	if d.Type != "Interface" {
		return check.Inapplicable("the endpoint is no interface endpoint")
	}
	// An endpoint has one subnet per availability zone at most.
	return check.Must(len(d.Subnets) > 1, "the endpoint is in several availability zones", "the endpoint is in one availability zone at most")
}

func serviceNotForEverybody(e *check.Evidence, s EndpointService) check.Verdict {
	return check.Must(!slices.Contains(check.Read(e, s.Principals), "*"),
		"only named principals may connect", "every AWS account may ask to connect")
}

func serviceAcceptance(e *check.Evidence, s EndpointService) check.Verdict {
	return check.Must(check.Read(e, s.Detail).AcceptanceRequired, "connections wait for acceptance", "connections are accepted by themselves")
}
