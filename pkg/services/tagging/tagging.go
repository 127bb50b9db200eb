// Package tagging knows the tags of an account's resources, as one listing of a
// region tells them: so that no other service needs a call per resource for its
// tags. pkg/results/tags joins them to the resources of other services, by ARN.
package tagging

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Name is the service's name: that of its tasks and of --services.
const Name = "tagging"

// Service is what the catalog knows of tags.
func Service() check.Service {
	return check.Service{
		Name:  Name,
		Title: "AWS Resource Groups Tagging API",
		Kinds: []check.Kind{
			check.KindOf[RegionTags]().Stateless("a setting of the region"),
			check.KindOf[TaggedResource]().Stateless("the tagging service tells no state"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// RegionTags is the tags of a region as a whole. It is what checks judge: one
// verdict for each tagged resource would drown all others in the score.
type RegionTags struct {
	model.Resource
	// Secrets are the tags that hold what looks like a credential.
	Secrets fact.Of[[]Secret] `json:"secrets"`
}

// Kind implements check.Resource.
func (RegionTags) Kind() string { return "AWS::ResourceGroupsTagging::RegionTags" }

// Secret is a tag that holds what looks like a credential.
type Secret struct {
	Resource string `json:"resource"` // ARN
	Key      string `json:"key"`
}

// TaggedResource is a resource of any service that has, or had, tags. Its ARN is
// the resource's own.
type TaggedResource struct {
	model.Resource
	Tags fact.Of[map[string]string] `json:"tags"`
}

// Kind implements check.Resource.
func (TaggedResource) Kind() string { return "AWS::ResourceGroupsTagging::TaggedResource" }

// Reduced stands for a value that looked like a credential and was not kept.
const Reduced = "(looks like a credential)"
