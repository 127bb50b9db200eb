// Package apigateway knows the REST APIs of Amazon API Gateway: their methods,
// stages and domain names, and what is right of them.
package apigateway

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of API Gateway's REST APIs.
func Service() check.Service {
	return check.Service{
		Name:  "apigateway",
		Title: "Amazon API Gateway (REST APIs)",
		Kinds: []check.Kind{
			check.KindOf[RestAPI]().Stateless("AWS tells a state of APIs with an access mode alone"),
			check.KindOf[Stage]().Stateless("stages are there or are not"),
			check.KindOf[DomainName](),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// RestAPI is a REST API.
type RestAPI struct {
	model.Resource
	Detail  fact.Of[Detail]   `json:"detail"`
	Methods fact.Of[[]Method] `json:"methods"`
}

// Kind implements check.Resource.
func (RestAPI) Kind() string { return "AWS::ApiGateway::RestApi" }

// Detail is what GetRestApis tells.
type Detail struct {
	ID      string `json:"id"`
	Private bool   `json:"private"`          // reached through VPC endpoints only
	Policy  string `json:"policy,omitempty"` // a JSON document; empty when there is none
	// DefaultEndpointDisabled tells whether the API answers under its domain names
	// only.
	DefaultEndpointDisabled bool `json:"default_endpoint_disabled"`
}

// Method is one method of an API as it is set up; a stage serves what was
// deployed to it.
type Method struct {
	Path          string `json:"path"`
	HTTP          string `json:"http"`          // GET, POST, ANY…
	Authorization string `json:"authorization"` // NONE, AWS_IAM, CUSTOM or COGNITO_USER_POOLS
	Validated     bool   `json:"validated"`     // requests pass a validator
}

// Stage is a deployment of a REST API under a name.
type Stage struct {
	model.Resource
	Detail fact.Of[StageDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Stage) Kind() string { return "AWS::ApiGateway::Stage" }

// StageDetail is what GetStages tells. Of the stage variables only the names are
// kept whose values look like credentials.
type StageDetail struct {
	AccessLogs        string   `json:"access_logs,omitempty"`    // ARN of where they go
	ExecutionLogs     string   `json:"execution_logs,omitempty"` // level of all methods: OFF, ERROR or INFO
	DataTraced        []string `json:"data_traced,omitempty"`    // methods whose requests are logged in full
	Tracing           *bool    `json:"tracing,omitempty"`        // by X-Ray; nil where AWS does not tell
	WebACL            string   `json:"web_acl,omitempty"`
	ClientCertificate string   `json:"client_certificate,omitempty"`
	Cache             bool     `json:"cache"`
	CacheSettled      bool     `json:"cache_settled"`          // a setting for all methods says whether they are cached, and how
	PlainCaches       []string `json:"plain_caches,omitempty"` // methods whose answers are cached unencrypted
	SecretVariables   []string `json:"secret_variables,omitempty"`
	// UnreadVariables says why not all stage variables were looked at; nil if all were.
	UnreadVariables *fact.Gap `json:"unread_variables,omitempty"`
}

// DomainName is a domain name of the account's APIs.
type DomainName struct {
	model.Resource
	Detail fact.Of[DomainDetail] `json:"detail"`
	// APIs are the ids of the APIs that answer under the name.
	APIs fact.Of[[]string] `json:"apis"`
}

// Kind implements check.Resource.
func (DomainName) Kind() string { return "AWS::ApiGateway::DomainName" }

// DomainDetail is what GetDomainNames tells.
type DomainDetail struct {
	State          string `json:"state"`           // AWS's word
	SecurityPolicy string `json:"security_policy"` // TLS_1_0, TLS_1_2, SecurityPolicy_TLS13_…
}
