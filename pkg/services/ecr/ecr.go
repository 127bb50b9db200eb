// Package ecr knows Amazon Elastic Container Registry: its private repositories,
// and what is right of them.
package ecr

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of ECR.
func Service() check.Service {
	return check.Service{
		Name:  "ecr",
		Title: "Amazon Elastic Container Registry",
		Kinds: []check.Kind{
			check.KindOf[Repository]().Stateless("repositories are there or are not"),
			check.KindOf[Registry]().Stateless("a setting of the region"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Repository is a private repository of images.
type Repository struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// Policy is the repository policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
	// Lifecycle tells that there is a lifecycle policy.
	Lifecycle fact.Of[bool] `json:"lifecycle"`
}

// Kind implements check.Resource.
func (Repository) Kind() string { return "AWS::ECR::Repository" }

// Detail is what DescribeRepositories tells.
type Detail struct {
	ScanOnPush    bool   `json:"scan_on_push"`
	TagMutability string `json:"tag_mutability"` // MUTABLE, IMMUTABLE, or one of them _WITH_EXCLUSION
	Encryption    string `json:"encryption"`     // AES256, KMS or KMS_DSSE
}

// Registry is the private registry, of which there is one in every region: how it scans
// images, and whom it lets in.
type Registry struct {
	model.Resource
	Scanning fact.Of[Scanning] `json:"scanning"`
	// Policy is the registry policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (Registry) Kind() string { return "AWS::ECR::RegistryScanningConfiguration" }

// Scanning is what GetRegistryScanningConfiguration tells.
type Scanning struct {
	Type string `json:"type"` // BASIC or ENHANCED
	// Filters choose the repositories that are scanned when an image is pushed,
	// or continuously.
	Filters []string `json:"filters,omitempty"`
}
