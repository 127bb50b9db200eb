package collect_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/services/tagging/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), tagging.Service())
}

// TestTagsThatAreTooLong: AWS's tags never are. What was not looked at is not kept,
// and nobody says that there was no credential in it.
func TestTagsThatAreTooLong(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "neglected", `-- GetResources --
{"PaginationToken": "", "ResourceTagMappingList": [{"ResourceARN": "arn:aws:s3:::releases", "Tags": [
  {"Key": "env", "Value": "prod"}, {"Key": "note", "Value": "`+strings.Repeat("-", 100_000)+`"}, {"Key": "more", "Value": "and more"}]}]}
`)
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		switch r := r.(type) {
		case tagging.TaggedResource:
			if tags, _ := r.Tags.Get(); tags["env"] != "prod" || tags["note"] != "" || tags["more"] != "" || tags[tagging.Reduced] != tagging.Reduced {
				t.Errorf("kept %d tags", len(tags))
			}
		case tagging.RegionTags:
			if _, gap := r.Secrets.Get(); gap == nil || gap.Reason != fact.NotCollected || gap.Operation != "tag:GetResources" {
				t.Errorf("the tags are known to hold no credential: %+v", gap)
			}
		}
	}
}
