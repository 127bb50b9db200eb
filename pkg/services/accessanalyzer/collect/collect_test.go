package collect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer/collect"
)

func full(f *fake.Fake) {
	analyzer := func(name string, kind types.Type) types.AnalyzerSummary {
		return types.AnalyzerSummary{
			Arn: aws.String("arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/" + name), Name: aws.String(name), Type: kind,
			Status: types.AnalyzerStatusActive, CreatedAt: aws.Time(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		}
	}
	fake.OnPages[sdk.ListAnalyzersInput](f,
		&sdk.ListAnalyzersOutput{Analyzers: []types.AnalyzerSummary{analyzer("account", types.TypeAccount)}, NextToken: aws.String("2")},
		&sdk.ListAnalyzersOutput{Analyzers: []types.AnalyzerSummary{analyzer("unused", types.TypeAccountUnusedAccess)}})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{accessanalyzer.RegionSettings{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:access-analyzer:eu-west-1:111122223333:region-settings", Account: collecttest.Account,
			Region: collecttest.Region, Name: collecttest.Region,
		}},
		Analyzers: fact.Known([]accessanalyzer.Analyzer{
			{Name: "account", Type: "ACCOUNT", Status: "ACTIVE"}, {Name: "unused", Type: "ACCOUNT_UNUSED_ACCESS", Status: "ACTIVE"},
		}),
	}})
}
