package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/s3/collect"
)

var allOn = s3.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}

func full(f *fake.Fake) {
	answerBuckets(f)
	fake.On(f, func(in *s3control.GetPublicAccessBlockInput) (*s3control.GetPublicAccessBlockOutput, error) {
		if aws.ToString(in.AccountId) != collecttest.Account {
			return nil, fake.Error("AccessDenied")
		}
		return &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: controlBlock()}, nil
	})
	fake.OnRegion(f, func(region string, in *s3control.ListMultiRegionAccessPointsInput) (*s3control.ListMultiRegionAccessPointsOutput, error) {
		if region != "us-west-2" {
			return nil, fake.Error("PermanentRedirectControlError")
		}
		if in.NextToken == nil {
			return &s3control.ListMultiRegionAccessPointsOutput{NextToken: aws.String("2"), AccessPoints: []control.MultiRegionAccessPointReport{
				{Name: aws.String("site"), Alias: aws.String("mfzwi23gnjvgw.mrap"), Status: control.MultiRegionAccessPointStatusReady, PublicAccessBlock: controlBlock()},
			}}, nil
		}
		return &s3control.ListMultiRegionAccessPointsOutput{AccessPoints: []control.MultiRegionAccessPointReport{
			{Name: aws.String("new"), Status: control.MultiRegionAccessPointStatusCreating, PublicAccessBlock: &control.PublicAccessBlockConfiguration{
				BlockPublicAcls: aws.Bool(false), IgnorePublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(false), RestrictPublicBuckets: aws.Bool(false),
			}},
		}}, nil
	})
}

func controlBlock() *control.PublicAccessBlockConfiguration {
	return &control.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}
}

func global(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: model.Global, Name: name}}
}

func wantAccount() []check.Resource {
	return []check.Resource{
		s3.AccountPublicAccessBlock{
			Resource: global("arn:aws:s3::111122223333:account-public-access-block", ""), Settings: fact.Known(allOn),
		},
		s3.MultiRegionAccessPoint{
			Resource:          global("arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap", "site"),
			Detail:            fact.Known(s3.AccessPointDetail{State: "READY"}),
			PublicAccessBlock: fact.Known(allOn),
		},
		s3.MultiRegionAccessPoint{
			Resource:          global("arn:aws:s3::111122223333:accesspoint/new", "new"),
			Detail:            fact.Known(s3.AccessPointDetail{State: "CREATING"}),
			PublicAccessBlock: fact.Known(s3.PublicAccessBlock{}),
		},
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, append(wantAccount(), wantBuckets()...))
}

func TestAccountWithoutBlock(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.Fail[s3control.GetPublicAccessBlockInput](f, "NoSuchPublicAccessBlockConfiguration")
	for _, r := range collecttest.Walk(t, collect.Spec(), f).Resources {
		if a, ok := r.(s3.AccountPublicAccessBlock); ok {
			if settings, gap := a.Settings.Get(); gap != nil || settings != (s3.PublicAccessBlock{}) {
				t.Errorf("settings %v, gap %v; want all off", settings, gap)
			}
			return
		}
	}
	t.Error("no settings of the account")
}
