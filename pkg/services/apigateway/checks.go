package apigateway

import (
	"regexp"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("apigateway-rest-api-authorization", model.High, authorization),
		check.For("apigateway-rest-api-private", model.Low, private),
		check.For("apigateway-rest-api-request-validation", model.Low, requestValidation),
		check.Across("apigateway-rest-api-default-endpoint-disabled", model.Low, defaultEndpoint, check.Using[DomainName]()),
		check.For("apigateway-stage-logging", model.Medium, stages.Asks(logging)),
		check.For("apigateway-stage-no-data-trace", model.Low, stages.Asks(noDataTrace)),
		check.For("apigateway-stage-tracing", model.Low, stages.Must(
			func(d StageDetail) bool { return check.Told("tracingEnabled", d.Tracing) }, "X-Ray traces requests", "X-Ray does not trace requests")),
		check.For("apigateway-stage-waf", model.Medium, stages.Asks(waf)),
		check.For("apigateway-stage-client-certificate", model.Low, stages.Asks(clientCertificate)),
		check.For("apigateway-stage-cache-encrypted", model.Medium, stages.Asks(cacheEncrypted)),
		check.For("apigateway-stage-no-secrets-in-variables", model.High, stages.Asks(noSecrets)),
		check.For("apigateway-domain-name-tls", model.Medium, domainTLS),
	}
}

// authorization fails an API of which a stranger may call a method. Where the
// policy lets strangers in, or there is none, the methods decide; where it does
// not, they need not be looked at.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func authorization(e *check.Evidence, a RestAPI) check.Verdict {
	d := check.Read(e, a.Detail)
	if d.Private {
		return check.Passed("the API is reached through VPC endpoints only")
	}
	if d.Policy != "" {
		result := policyrule.Parse(d.Policy, "apigateway:GetRestApis").Evaluate(policyrule.Owner(a.Ref), "execute-api:Invoke")
		if len(result.At(iampolicy.Public)) == 0 {
			return check.Passed("the policy does not let everybody in")
		}
	}
	// https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html, 29 November 2026.
	some, unfamiliar := false, ""
	for _, m := range check.Read(e, a.Methods) {
		if m.HTTP == "OPTIONS" { // browsers ask it without credentials
			continue
		}
		switch m.Authorization {
		case "NONE":
			return check.Failed(m.HTTP + " " + m.Path + " is open to everybody")
		case "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS":
			some = true
		default:
			unfamiliar = m.Authorization
		}
	}
	switch {
	case unfamiliar != "":
		return check.Unfamiliar("authorization type", unfamiliar)
	case !some:
		return check.Inapplicable("the API has no method")
	}
	return check.Passed("every method asks for authorization")
}

func private(e *check.Evidence, a RestAPI) check.Verdict {
	return check.Must(check.Read(e, a.Detail).Private, "the API is reached through VPC endpoints only", "the API is reached from the internet")
}

// withBody are the methods whose requests carry data.
var withBody = []string{"POST", "PUT", "PATCH"}

func requestValidation(e *check.Evidence, a RestAPI) check.Verdict {
	some := false
	for _, m := range check.Read(e, a.Methods) {
		if !slices.Contains(withBody, m.HTTP) {
			continue
		}
		if !m.Validated {
			return check.Failed("requests to " + m.HTTP + " " + m.Path + " are not validated")
		}
		some = true
	}
	if !some {
		return check.Inapplicable("no method takes data")
	}
	return check.Passed("requests that carry data are validated")
}

func defaultEndpoint(e *check.Evidence, a RestAPI) check.Verdict {
	d := check.Read(e, a.Detail)
	if d.DefaultEndpointDisabled {
		return check.Passed("the API answers under its domain names only")
	}
	names, gaps := byAPI.SomeIn(e, a.Region, d.ID)
	if len(names) > 0 {
		check.Read(e, names[0].APIs)
		return check.Failed("the API answers under its default name, too, beside " + names[0].Name)
	}
	// Only who knows every name knows that none leads to the API.
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Inapplicable("the API has no domain name of its own")
}

var byAPI = check.NewIndex(func(e *check.Evidence, n DomainName) []string { return check.Read(e, n.APIs) })

// modernTLS are the policies that begin at TLS 1.2 or 1.3: SecurityPolicy_TLS13_1_2_2021_06.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html, 29 November 2026.
var modernTLS = regexp.MustCompile(`^SecurityPolicy_TLS1[23]_`)

func domainTLS(e *check.Evidence, n DomainName) check.Verdict {
	policy := check.Read(e, n.Detail).SecurityPolicy
	if policy == "" {
		return check.Inapplicable("the name has no security policy yet")
	}
	switch {
	case policy == "TLS_1_0":
		return check.Failed("clients may use TLS 1.0")
	case policy == "TLS_1_2", modernTLS.MatchString(policy):
		return check.Passed("clients need " + policy)
	default:
		return check.Unfamiliar("security policy", policy)
	}
}
