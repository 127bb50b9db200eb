// Package tags tells the tags of any service's resource from what the tagging
// service listed, by ARN. What is not known is said to be so: a resource whose
// region was not listed is neither tagged nor untagged.
package tags

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Index is the tags of one account. The zero Index knows none. Tags that resources have in
// common are in memory once.
type Index struct {
	tags    map[[sha256.Size]byte]map[string]string // by the digest of a resource's identity, then by key
	sets    map[string]map[string]string            // by the tags as text
	regions map[string]*fact.Gap                    // how the listing of a region ended; nil is complete
}

// Newest is the evidence of the newest audit of a connection that listed tags; none if no
// audit did whose evidence is still kept.
func Newest(ctx context.Context, org *store.Organization, connection model.ConnectionID, now time.Time) (listed []model.Object, err error) {
	listedBy := func(a model.Audit) (all []model.Object, err error) {
		if a.Summary == nil || a.Forgotten(now) || !slices.Contains(a.Services, tagging.Name) {
			return nil, nil
		}
		tasks, err := org.Tasks(ctx, a.ID)
		for _, t := range tasks {
			if t.Service == tagging.Name && t.Evidence != "" {
				all = append(all, t.Object(t.Evidence))
			}
		}
		return all, err
	}
	_, e := org.LatestInShort(ctx, connection, func(a model.Audit) bool {
		listed, err = listedBy(a)
		return err != nil || len(listed) > 0
	})
	if e != nil && !errors.Is(e, store.ErrNotFound) {
		return nil, e
	}
	return listed, err
}

// Read makes the index from the evidence of the tagging service. It keeps only the tags
// whose keys are wanted; nil wants all.
func Read(ctx context.Context, from blob.Store, listed []model.Object, wanted func(key string) bool) (*Index, error) {
	x := &Index{tags: map[[sha256.Size]byte]map[string]string{}, sets: map[string]map[string]string{}, regions: map[string]*fact.Gap{}}
	kind := tagging.TaggedResource{}.Kind()
	for _, o := range listed {
		err := pipeline.ReadEvidence(ctx, from, o, func(e evidence.Entry) error {
			switch {
			case e.Kind != kind:
			case e.Listing == nil:
				return x.add(e, wanted)
			case x.regions[e.Listing.Region] == nil: // what one part of a listing lacks, the whole does
				x.regions[e.Listing.Region] = e.Listing.Gap
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Source knows the tags of the resources of connections.
type Source struct {
	Store    *store.Store
	Evidence blob.Store
}

// Of is what tells the tags of a connection's resources, of all keys, and false of those
// whose tags are not known: also where the evidence of them is not there any more, or is
// not what was written.
func (s Source) Of(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) (func(model.Ref) (map[string]string, bool), error) {
	listed, err := Newest(ctx, s.Store.For(org), connection, time.Time{}) // what is gone is seen below
	if err != nil {
		return nil, err
	}
	x, err := Read(ctx, s.Evidence, listed, nil)
	var altered *pipeline.AlteredError
	switch {
	case errors.As(err, &altered), errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrDamaged), errors.Is(err, errNoTags):
		x = &Index{}
	case err != nil:
		return nil, err
	}
	return func(r model.Ref) (map[string]string, bool) {
		found, gap := x.Of(r)
		return found, gap == nil
	}, nil
}

// errNoTags says that evidence is none of the tagging service.
var errNoTags = errors.New("no tags")

func (x *Index) add(e evidence.Entry, wanted func(string) bool) error {
	var r tagging.TaggedResource
	if err := json.Unmarshal(e.Resource, &r); err != nil {
		return fmt.Errorf("%w of %s: %w", errNoTags, e.Ref, err)
	}
	all, gap := r.Tags.Get()
	if gap != nil {
		return nil
	}
	if wanted != nil {
		all = maps.Clone(all)
		maps.DeleteFunc(all, func(key, _ string) bool { return !wanted(key) })
	}
	text, err := json.Marshal(all) // in the order of keys
	if err != nil {
		return fmt.Errorf("%w of %s: %w", errNoTags, e.Ref, err)
	}
	set, known := x.sets[string(text)]
	if !known {
		if set = all; set == nil {
			set = map[string]string{}
		}
		x.sets[string(text)] = set
	}
	x.tags[digest(e.Ref.ARN)] = set
	return nil
}

func digest(arn string) [sha256.Size]byte { return sha256.Sum256([]byte(identity(arn))) }

// Of is the tags of a resource, of those that the index keeps. A part has the
// tags of the whole. The gap says why the tags are not known.
func (x *Index) Of(ref model.Ref) (map[string]string, *fact.Gap) {
	// Found is known, even where the listing broke off later.
	if found, ok := x.tags[digest(ref.ARN)]; ok {
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
