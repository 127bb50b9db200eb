// Package lambda knows AWS Lambda: its functions, and what is right of them.
// Neither their code nor the values of their environment are kept.
package lambda

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Lambda.
func Service() check.Service {
	return check.Service{
		Name:  "lambda",
		Title: "AWS Lambda",
		Kinds: []check.Kind{
			check.KindOf[Function]().Stateless("ListFunctions does not tell the state, and settings and policy count in each"),
			check.KindOf[LayerVersion]().Stateless("versions of layers are there or are not"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Function is a Lambda function, in its unpublished version.
type Function struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// SecretVariables names the environment variables that look like a
	// credential. It is a gap where Lambda may not decrypt the environment for us.
	SecretVariables fact.Of[[]string] `json:"secret_variables"`
	// Policy is the resource policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
	// Aliases and Versions are the function's aliases and published versions with their
	// policies.
	Aliases  fact.Of[[]Qualified] `json:"aliases"`
	Versions fact.Of[[]Qualified] `json:"versions"`
	// URLs are the function URLs, of the function itself and of its aliases.
	URLs fact.Of[[]URL] `json:"urls"`
	// Destinations are the ARNs of where events go that fail, of the function itself and
	// of its versions and aliases. Nobody asks where there is a dead-letter queue.
	Destinations fact.Of[[]string] `json:"destinations"`
	// ReservedConcurrency is nil when nothing is reserved.
	ReservedConcurrency fact.Of[*int32] `json:"reserved_concurrency"`
	// CodeSigning is the ARN of the code signing configuration; empty when there
	// is none. It is asked only of functions that are no container images.
	CodeSigning fact.Of[string] `json:"code_signing"`
}

// Qualified is an alias or a published version of a function. Whoever may call it need
// not be let in by the function's own policy.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html, 29 November 2026.
type Qualified struct {
	Qualifier string `json:"qualifier"`        // the alias's name or the version's number
	Policy    string `json:"policy,omitempty"` // a JSON document; empty when there is none
}

// LayerVersion is a version of a layer of the account's own.
type LayerVersion struct {
	model.Resource
	// Policy says who else may use the version, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (LayerVersion) Kind() string { return "AWS::Lambda::LayerVersion" }

// Kind implements check.Resource.
func (Function) Kind() string { return "AWS::Lambda::Function" }

// Detail is what ListFunctions tells.
type Detail struct {
	Package     string   `json:"package"`           // Zip or Image
	Runtime     string   `json:"runtime,omitempty"` // empty for images
	Environment bool     `json:"environment"`       // there are environment variables
	KMSKey      string   `json:"kms_key,omitempty"` // of the environment; empty for the AWS managed key
	VPC         string   `json:"vpc,omitempty"`
	Subnets     []string `json:"subnets,omitempty"`
	Groups      []string `json:"groups,omitempty"` // ids of security groups
	Tracing     string   `json:"tracing"`          // Active or PassThrough
	DeadLetter  string   `json:"dead_letter,omitempty"`
	Layers      []string `json:"layers,omitempty"` // ARNs of layer versions
}

// URL is a function URL.
type URL struct {
	Address string   `json:"address"`
	Auth    string   `json:"auth"`              // NONE or AWS_IAM
	Origins []string `json:"origins,omitempty"` // that CORS allows
}
