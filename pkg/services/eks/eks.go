// Package eks knows Amazon Elastic Kubernetes Service: its clusters, and what is
// right of them as AWS sees them.
package eks

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of EKS.
func Service() check.Service {
	return check.Service{
		Name:  "eks",
		Title: "Amazon Elastic Kubernetes Service",
		Kinds: []check.Kind{check.KindOf[Cluster]()},
		Rules: rules(),
		Texts: texts,
	}
}

// Cluster is an EKS cluster.
type Cluster struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
}

// Kind implements check.Resource.
func (Cluster) Kind() string { return "AWS::EKS::Cluster" }

// Detail is what DescribeCluster tells.
type Detail struct {
	State   string `json:"state"`   // AWS's word
	Version string `json:"version"` // of Kubernetes: 1.34
	// PublicEndpoint and PrivateEndpoint tell where the API server answers: on the
	// internet, to PublicCIDRs, and in the VPC.
	PublicEndpoint  bool     `json:"public_endpoint"`
	PrivateEndpoint bool     `json:"private_endpoint"`
	PublicCIDRs     []string `json:"public_cidrs,omitempty"`
	// SecretsKey is the ARN of the KMS key of Kubernetes secrets; empty when AWS
	// owns the key.
	SecretsKey         string   `json:"secrets_key,omitempty"`
	Logs               []string `json:"logs,omitempty"`                // types that are on: api, audit…
	DeletionProtection *bool    `json:"deletion_protection,omitempty"` // nil where AWS does not tell
}
