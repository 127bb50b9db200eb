package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/services/tagging/collect"
)

const (
	bucket   = "arn:aws:s3:::uploads"
	instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"
	queue    = "arn:aws:sqs:eu-west-1:111122223333:work"

	password = "correct-horse-battery"
	accessID = "AKIAIOSFODNN7EXAMPLE"
)

func mapping(arn string, tags ...string) types.ResourceTagMapping {
	m := types.ResourceTagMapping{ResourceARN: &arn}
	for i := 0; i < len(tags); i += 2 {
		m.Tags = append(m.Tags, types.Tag{Key: &tags[i], Value: &tags[i+1]})
	}
	return m
}

// full has a queue that was tagged once: AWS lists such resources, too. AWS ends
// a listing with an empty token.
func full(f *fake.Fake) {
	fake.OnPages[sdk.GetResourcesInput](f,
		&sdk.GetResourcesOutput{PaginationToken: aws.String("2"), ResourceTagMappingList: []types.ResourceTagMapping{
			mapping(bucket, "env", "prod", "aws:cloudformation:stack-name", "web"),
		}},
		&sdk.GetResourcesOutput{PaginationToken: aws.String(""), ResourceTagMappingList: []types.ResourceTagMapping{
			mapping(instance, "Name", "web", "db_password", password, "note", "key is "+accessID, accessID, ""),
			mapping(queue),
		}})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), tagging.Service())
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), cloud).Resources)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, accessID} {
		if strings.Contains(string(data), secret) {
			t.Errorf("%q was kept: %s", secret, data)
		}
	}
}

// TestTagsThatAreTooLong: AWS's tags never are. What was not looked at is not kept,
// and nobody says that there was no credential in it.
func TestTagsThatAreTooLong(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	fake.OnPages[sdk.GetResourcesInput](cloud, &sdk.GetResourcesOutput{
		ResourceTagMappingList: []types.ResourceTagMapping{mapping(bucket, "env", "prod", "note", strings.Repeat("-", 100_000), "more", "and more")},
	})
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
