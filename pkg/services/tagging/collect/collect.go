// Package collect reads the tags of resources from AWS.
package collect

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

// Spec is how tags are collected: by one listing for all services of a region.
func Spec() collect.Spec {
	return collect.Spec{
		Service: tagging.Name,
		Walks: []collect.Walk{{
			Kinds:      []string{tagging.RegionTags{}.Kind(), tagging.TaggedResource{}.Kind()},
			Operations: []string{"Resource Groups Tagging API.GetResources"},
			Run:        tags,
		}},
	}
}

// most is the largest page of the listing.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
const most = 100

func tags(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	var secrets secrets
	pages := sdk.NewGetResourcesPaginator(client, &sdk.GetResourcesInput{ResourcesPerPage: aws.Int32(most)})
	err := collect.Each(ctx, s, pages, func(o *sdk.GetResourcesOutput) []types.ResourceTagMapping {
		return collect.RequiredList("ResourceTagMappingList", o.ResourceTagMappingList)
	},
		func(_ *collect.Reading, found types.ResourceTagMapping) *tagging.TaggedResource {
			arn := collect.RequiredARN("ResourceARN", found.ResourceARN)
			search := collect.NewSearch(ctx)
			kept, suspicious := reduced(search, collect.RequiredList("Tags", found.Tags))
			secrets.add(arn, suspicious, search.Gap(s, "tag:GetResources"))
			return &tagging.TaggedResource{Resource: s.Resource(arn, kept["Name"]), Tags: fact.Known(kept)}
		})
	if err != nil {
		return err
	}
	known := fact.Known(secrets.sorted())
	if secrets.unread != nil && len(secrets.all) == 0 {
		known = fact.Unknown[[]tagging.Secret](*secrets.unread)
	}
	s.Emit(tagging.RegionTags{Resource: s.Resource(s.ARN("tag", "region-tags"), s.Region), Secrets: known})
	return nil
}

// reduced is the tags without what looks like a credential, which tags should
// not hold and sometimes do, and the keys under which there was some. What was not
// looked at is not kept either.
func reduced(search *collect.Search, tags []types.Tag) (kept map[string]string, suspicious []string) {
	kept = map[string]string{}
	for _, tag := range tags {
		key, value := collect.RequiredText("Key", tag.Key), collect.Required("Value", tag.Value)
		if search.Text(key) {
			key = tagging.Reduced
		}
		named := search.Names(map[string]string{key: value})
		switch {
		case key == tagging.Reduced || len(named) > 0:
			value = tagging.Reduced
			suspicious = append(suspicious, key)
		case !search.Whole():
			key, value = tagging.Reduced, tagging.Reduced
		}
		kept[key] = value
	}
	return kept, suspicious
}

// secrets gathers the suspicious tags of a region from the resources under way.
type secrets struct {
	mu     sync.Mutex
	all    []tagging.Secret
	unread *fact.Gap // why some tags were not looked at
}

func (s *secrets) add(arn string, keys []string, unread *fact.Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if unread != nil {
		s.unread = unread
	}
	for _, key := range keys {
		s.all = append(s.all, tagging.Secret{Resource: arn, Key: key})
	}
}

func (s *secrets) sorted() []tagging.Secret {
	slices.SortFunc(s.all, func(a, b tagging.Secret) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Key, b.Key))
	})
	return s.all
}
