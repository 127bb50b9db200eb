package collect_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/ec2/collect"
)

// The account that shares things with the audited one.
const other = "444455556666"

var (
	owner    = aws.String(collecttest.Account)
	stranger = aws.String(other)
	more     = aws.String("more")
)

// ref is the identity of a thing of the account.
func ref(kind, id string) model.Resource {
	return at("arn:aws:ec2:"+collecttest.Region+":"+collecttest.Account+":"+kind+"/"+id, id)
}

func at(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func full(f *fake.Fake) {
	fullCompute(f)
	fullFirewall(f)
	fullNetwork(f)
	fullLinks(f)
	fullStorage(f)
	fullSettings(f)
}

func TestCollect(t *testing.T) {
	t.Parallel()
	want := slices.Concat(wantCompute(), wantFirewall(), wantNetwork(), wantLinks(), wantStorage(), []check.Resource{wantSettings()})
	collecttest.Run(t, collect.Spec(), full, want)
}
