package apigateway_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// api is an API with a public endpoint and guarded methods, changed as a case
// needs.
func api(change func(*apigateway.Detail), methods ...apigateway.Method) apigateway.RestAPI {
	d := apigateway.Detail{ID: "a1"}
	if change != nil {
		change(&d)
	}
	return apigateway.RestAPI{Resource: checktest.Ref("apigateway", "/restapis/a1"), Detail: fact.Known(d), Methods: fact.Known(methods)}
}

// stage is a stage as it should be, changed as a case needs.
func stage(change func(*apigateway.StageDetail)) apigateway.Stage {
	d := apigateway.StageDetail{AccessLogs: "arn:aws:logs:eu-west-1:111122223333:log-group:api", Tracing: new(true), WebACL: "acl", ClientCertificate: "c1", Cache: true, CacheSettled: true}
	if change != nil {
		change(&d)
	}
	return apigateway.Stage{Resource: checktest.Ref("apigateway", "/restapis/a1/stages/prod"), Detail: fact.Known(d)}
}

func domain(policy string, apis ...string) apigateway.DomainName {
	return apigateway.DomainName{
		Resource: checktest.Ref("apigateway", "/domainnames/api.example.com"), Detail: fact.Known(apigateway.DomainDetail{SecurityPolicy: policy}), APIs: fact.Known(apis),
	}
}

func withPolicy(statement string, methods ...apigateway.Method) apigateway.RestAPI {
	return api(func(d *apigateway.Detail) {
		d.Policy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:eu-west-1:111122223333:a1/*", ` + statement + `}]}`
	}, methods...)
}

func isPrivate(d *apigateway.Detail) { d.Private = true }

var (
	options = apigateway.Method{Path: "/pets", HTTP: "OPTIONS", Authorization: "NONE"}
	open    = apigateway.Method{Path: "/pets", HTTP: "GET", Authorization: "NONE"}
	guarded = apigateway.Method{Path: "/pets", HTTP: "POST", Authorization: "COGNITO_USER_POOLS", Validated: true}
	loose   = apigateway.Method{Path: "/pets", HTTP: "PUT", Authorization: "AWS_IAM"}
)

func TestChecks(t *testing.T) {
	t.Parallel()
	good := stage(nil)
	checktest.Run(t, apigateway.Service(), checktest.Table{
		"apigateway-rest-api-authorization": {
			{Name: "guarded", Resource: api(nil, guarded, options), Want: check.Pass},
			{Name: "private", Resource: api(isPrivate, open), Want: check.Pass},
			{Name: "own account by policy", Resource: withPolicy(`"Principal": {"AWS": "111122223333"}`, open), Want: check.Pass},
			{Name: "own addresses by policy", Resource: withPolicy(`"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}`, open), Want: check.Pass},
			{Name: "everybody by policy, guarded", Resource: withPolicy(`"Principal": "*"`, guarded), Want: check.Pass},
			{Name: "everybody by policy", Resource: withPolicy(`"Principal": "*"`, open), Want: check.Fail},
			{Name: "open", Resource: api(nil, guarded, open), Want: check.Fail},
			{Name: "no method", Resource: api(nil, options), Want: check.NotApplicable},
			{Name: "not a policy", Resource: api(func(d *apigateway.Detail) { d.Policy = "[]" }, guarded), Want: check.NotAssessed},
		},
		"apigateway-rest-api-private": {
			{Name: "private", Resource: api(isPrivate), Want: check.Pass}, {Name: "public", Resource: api(nil), Want: check.Fail},
		},
		"apigateway-rest-api-request-validation": {
			{Name: "validated", Resource: api(nil, guarded, open), Want: check.Pass},
			{Name: "not validated", Resource: api(nil, guarded, loose), Want: check.Fail},
			{Name: "no data", Resource: api(nil, open, options), Want: check.NotApplicable},
		},
		"apigateway-rest-api-default-endpoint-disabled": endpointCases(),
		"apigateway-stage-logging": {
			{Name: "access", Resource: good, Want: check.Pass},
			{Name: "execution", Resource: stage(func(d *apigateway.StageDetail) { d.AccessLogs, d.ExecutionLogs = "", "ERROR" }), Want: check.Pass},
			{Name: "off", Resource: stage(func(d *apigateway.StageDetail) { d.AccessLogs, d.ExecutionLogs = "", "OFF" }), Want: check.Fail},
		},
		"apigateway-stage-no-data-trace": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "all", Resource: stage(func(d *apigateway.StageDetail) { d.DataTraced = []string{"*/*"} }), Want: check.Fail},
		},
		"apigateway-stage-tracing": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: stage(func(d *apigateway.StageDetail) { d.Tracing = new(false) }), Want: check.Fail},
			{Name: "not told", Resource: stage(func(d *apigateway.StageDetail) { d.Tracing = nil }), Want: check.NotAssessed},
		},
		"apigateway-stage-waf": {
			{Name: "filtered", Resource: good, Want: check.Pass}, {Name: "not filtered", Resource: stage(func(d *apigateway.StageDetail) { d.WebACL = "" }), Want: check.Fail},
		},
		"apigateway-stage-client-certificate": {
			{Name: "shown", Resource: good, Want: check.Pass}, {Name: "none", Resource: stage(func(d *apigateway.StageDetail) { d.ClientCertificate = "" }), Want: check.Fail},
		},
		"apigateway-stage-cache-encrypted": {
			{Name: "encrypted", Resource: good, Want: check.Pass},
			{Name: "plain", Resource: stage(func(d *apigateway.StageDetail) { d.PlainCaches = []string{"*/*"} }), Want: check.Fail},
			{Name: "no setting for all methods", Resource: stage(func(d *apigateway.StageDetail) { d.CacheSettled = false }), Want: check.NotAssessed},
			{Name: "no cache", Resource: stage(func(d *apigateway.StageDetail) { d.Cache = false }), Want: check.NotApplicable},
		},
		"apigateway-stage-no-secrets-in-variables": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "password", Resource: stage(func(d *apigateway.StageDetail) { d.SecretVariables = []string{"DB_PASSWORD"} }), Want: check.Fail},
			{Name: "too many", Resource: stage(func(d *apigateway.StageDetail) { d.UnreadVariables = &fact.Gap{Reason: fact.NotCollected} }), Want: check.NotAssessed},
			{Name: "too many, and a password", Resource: stage(func(d *apigateway.StageDetail) {
				d.UnreadVariables, d.SecretVariables = &fact.Gap{Reason: fact.NotCollected}, []string{"DB_PASSWORD"}
			}), Want: check.Fail},
		},
		"apigateway-domain-name-tls": {
			{Name: "1.2", Resource: domain("TLS_1_2"), Want: check.Pass},
			{Name: "1.3", Resource: domain("SecurityPolicy_TLS13_1_3_2025_09"), Want: check.Pass},
			{Name: "1.0", Resource: domain("TLS_1_0"), Want: check.Fail},
			{Name: "a policy of tomorrow", Resource: domain("TLS_2_0"), Want: check.NotAssessed},
			{Name: "none yet", Resource: domain(""), Want: check.NotApplicable},
		},
	})
}

func endpointCases() []checktest.Case {
	disabled := api(func(d *apigateway.Detail) { d.DefaultEndpointDisabled = true })
	elsewhere := domain("TLS_1_2", "a1")
	elsewhere.Region = "us-east-1"
	unknown := domain("TLS_1_2")
	unknown.APIs = fact.Missing[[]string](fact.Denied, "apigateway:GET")
	return []checktest.Case{
		{Name: "disabled", Resource: disabled, Others: []check.Resource{unknown}, Want: check.Pass},
		{Name: "own name beside", Resource: api(nil), Others: []check.Resource{unknown, domain("TLS_1_2", "a2", "a1")}, Want: check.Fail},
		{Name: "names of others", Resource: api(nil), Others: []check.Resource{domain("TLS_1_2", "a2"), elsewhere}, Want: check.NotApplicable},
		{Name: "perhaps a name", Resource: api(nil), Others: []check.Resource{unknown}, Want: check.NotAssessed},
	}
}
