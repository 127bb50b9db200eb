// Package tags tells the tags of any service's resource from what the tagging
// service listed, by ARN. What is not known is said to be so: a resource whose
// region was not listed is neither tagged nor untagged.
package tags

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

// Index is the tags of one account. The zero Index knows none.
type Index struct {
	tags    map[string]map[string]string // by the identity of a resource, then by key
	regions map[string]*fact.Gap         // how the listing of a region ended; nil is complete
}

// Read makes the index from the evidence of the tagging service. It keeps only
// the tags with the keys given, since an account has many more than anybody asks
// for at a time.
func Read(ctx context.Context, from blob.Store, listed model.Object, keys []string) (*Index, error) {
	x := &Index{tags: map[string]map[string]string{}, regions: map[string]*fact.Gap{}}
	kind := tagging.TaggedResource{}.Kind()
	err := pipeline.ReadEvidence(ctx, from, listed, func(e evidence.Entry) error {
		switch {
		case e.Kind != kind:
		case e.Listing != nil:
			x.regions[e.Listing.Region] = e.Listing.Gap
		default:
			return x.add(e, keys)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Index) add(e evidence.Entry, keys []string) error {
	var r tagging.TaggedResource
	if err := json.Unmarshal(e.Resource, &r); err != nil {
		return fmt.Errorf("tags of %s: %w", e.Ref, err)
	}
	all, gap := r.Tags.Get()
	if gap != nil {
		return nil
	}
	asked := map[string]string{}
	for _, key := range keys {
		if value, ok := all[key]; ok {
			asked[key] = value
		}
	}
	x.tags[identity(e.Ref.ARN)] = asked
	return nil
}

// Of is the tags of a resource, of those that the index keeps. A part has the
// tags of the whole. The gap says why the tags are not known.
func (x *Index) Of(ref model.Ref) (map[string]string, *fact.Gap) {
	// Found is known, even where the listing broke off later.
	if found, ok := x.tags[identity(ref.ARN)]; ok {
		return found, nil
	}
	if unlisted(ref.ARN) {
		return nil, &fact.Gap{Reason: fact.Unsupported, Detail: Unlisted}
	}
	region := ref.Region
	if region == model.Global {
		region = home[ref.Partition()]
	}
	gap, listed := x.regions[region]
	switch {
	case !listed:
		return nil, &fact.Gap{Reason: fact.NotCollected, Operation: operation, Region: region}
	case gap != nil:
		return nil, gap
	}
	return map[string]string{}, nil
}

// operation is what lists tags.
const operation = "tag:GetResources"

// Unlisted says which resources' tags are in no listing.
const Unlisted = "AWS lists no tags of IAM users, IAM roles and Auto Scaling groups"

// unlisted reports whether a resource may have tags that GetResources leaves out.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
func unlisted(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return true // no ARN that AWS could have listed
	}
	switch parts[2] {
	case "autoscaling":
		return true
	case "iam":
		return !slices.ContainsFunc(listedOfIAM, func(prefix string) bool { return strings.HasPrefix(parts[5], prefix) })
	}
	return false
}

var listedOfIAM = []string{"instance-profile/", "mfa/", "oidc-provider/", "policy/", "saml-provider/", "server-certificate/"}

// home is the region that lists the tags of global resources, by partition. Of
// other partitions it is not certain, and their global resources stay unknown.
var home = map[string]string{"aws": "us-east-1"}

// identity is an ARN in the one form in which two APIs that name the same
// resource agree. EC2's ids are unique by themselves, and the ARNs of snapshots
// and images name an account or none; those of log groups may end in ":*".
func identity(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	switch parts[2] {
	case "ec2":
		return "ec2:" + parts[5]
	case "logs":
		return strings.TrimSuffix(arn, ":*")
	}
	return arn
}
