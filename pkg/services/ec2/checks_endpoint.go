package ec2

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func endpointRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-vpc-endpoint-policy-limited", model.Medium, endpointLimited),
		check.For("ec2-vpc-endpoint-no-foreign-account", model.High, endpointNotForeign),
		check.For("ec2-vpc-endpoint-in-several-zones", model.Low, endpointZones),
		check.For("ec2-vpc-endpoint-service-not-for-everybody", model.High, serviceNotForEverybody),
		check.For("ec2-vpc-endpoint-service-acceptance", model.Medium, serviceAcceptance),
	}
}

// withPolicy is a rule over the policy of an endpoint that has one to choose.
func withPolicy(decide func(p iampolicy.Policy, level iampolicy.Result) check.Verdict) func(*check.Evidence, Endpoint) check.Verdict {
	return func(e *check.Evidence, p Endpoint) check.Verdict {
		d := check.Read(e, p.Detail)
		switch {
		case d.Policy == "":
			return check.Inapplicable("endpoints of this kind take no policy")
		case !check.Read(e, p.TakesPolicy):
			return check.Inapplicable("endpoints to " + d.Service + " heed no policy")
		}
		policy, err := iampolicy.Parse(d.Policy)
		if err != nil {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Detail: err.Error()})
		}
		return decide(policy, policy.Evaluate(iampolicy.Options{Account: p.Account, Partition: p.Partition()}))
	}
}

func endpointLimited(e *check.Evidence, p Endpoint) check.Verdict {
	return withPolicy(func(_ iampolicy.Policy, result iampolicy.Result) check.Verdict {
		for _, grant := range result.At(iampolicy.Public) {
			// A list of resources bounds what anyone can do: data cannot leave to a
			// stranger's bucket. Only with neither bound is the endpoint wide open.
			if slices.Contains(grant.Resources, "*") && slices.ContainsFunc(grant.Actions, allActions) {
				return check.Failed(grant.Statement + " allows everybody everything")
			}
		}
		return check.Passed("no statement allows everybody everything")
	})(e, p)
}

// allActions reports whether a pattern is of all actions of a service at least.
// What a statement excepts ("not X") leaves all the rest.
func allActions(pattern string) bool {
	return pattern == "*" || strings.HasSuffix(pattern, ":*") || strings.HasPrefix(pattern, "not ")
}

func endpointNotForeign(e *check.Evidence, p Endpoint) check.Verdict {
	return withPolicy(func(_ iampolicy.Policy, result iampolicy.Result) check.Verdict {
		grants := result.At(iampolicy.CrossAccount)
		switch {
		case len(grants) == 0:
			return check.Passed("no statement names another account")
		case len(grants[0].Parties) > 0:
			return check.Failed(grants[0].Statement + " allows " + check.List(grants[0].Parties))
		default:
			return check.Failed(grants[0].Statement + " allows another account")
		}
	})(e, p)
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
