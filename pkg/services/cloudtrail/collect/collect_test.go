package collect_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail/collect"
)

const (
	mainARN         = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	elsewhereARN    = "arn:aws:cloudtrail:us-east-1:111122223333:trail/elsewhere"
	organizationARN = "arn:aws:cloudtrail:eu-west-1:999988887777:trail/organization"
	logGroup        = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"
	key             = "arn:aws:kms:eu-west-1:111122223333:key/1"
	topic           = "arn:aws:sns:eu-west-1:111122223333:trail"
)

var delivered = time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)

func ref(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func want() []check.Resource {
	return []check.Resource{
		cloudtrail.RegionTrails{
			Resource: ref("arn:aws:cloudtrail:eu-west-1:111122223333:region-trails", collecttest.Region),
			Trails: fact.Known([]cloudtrail.Sighting{
				{ARN: mainARN, Home: "eu-west-1", MultiRegion: true},
				{ARN: elsewhereARN, Home: "us-east-1", MultiRegion: true},
				{ARN: organizationARN, Home: "eu-west-1", MultiRegion: true},
			}),
		},
		cloudtrail.Trail{
			Resource: ref(mainARN, "main"),
			Detail: fact.Known(cloudtrail.Detail{
				MultiRegion: true, Validation: true, Insights: true, Bucket: "trail", Key: key, LogGroup: logGroup, Topic: topic,
			}),
			Status: fact.Known(cloudtrail.Status{Logging: true, DeliveryError: "AccessDenied", LogsDelivered: &delivered, LogsError: "AccessDenied"}),
			Selectors: fact.Known(cloudtrail.Selectors{Basic: []cloudtrail.BasicSelector{{
				ReadWrite: "All", Management: true, Without: []string{"kms.amazonaws.com"}, Objects: []string{"arn:aws:s3"},
			}}}),
		},
		cloudtrail.Trail{
			Resource: ref(organizationARN, "organization"),
			Detail:   fact.Known(cloudtrail.Detail{MultiRegion: true, Validation: true, Bucket: "trail"}),
			Status:   fact.Known(cloudtrail.Status{Logging: true}),
			Selectors: fact.Known(cloudtrail.Selectors{Advanced: []cloudtrail.AdvancedSelector{{
				{Field: "eventCategory", Operator: "Equals", Values: []string{"Data"}},
				{Field: "resources.ARN", Operator: "StartsWith", Values: []string{"arn:aws:s3:::shop/"}},
				{Field: "resources.ARN", Operator: "NotStartsWith", Values: []string{"arn:aws:s3:::shop/tmp/"}},
			}}}),
		},
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), cloudtrail.Service())
}

func TestOwner(t *testing.T) {
	t.Parallel()
	owners := map[string]string{}
	for _, r := range want() {
		if trail, ok := r.(cloudtrail.Trail); ok {
			owners[trail.Name] = trail.Owner()
		}
	}
	if owners["main"] != "111122223333" || owners["organization"] != "999988887777" {
		t.Errorf("owners %v", owners)
	}
}
