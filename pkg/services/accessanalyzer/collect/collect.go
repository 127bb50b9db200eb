// Package collect reads the analyzers of IAM Access Analyzer from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
)

// Spec is how Access Analyzer is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "accessanalyzer",
		Walks: []collect.Walk{{
			Kinds:      []string{accessanalyzer.RegionSettings{}.Kind()},
			Operations: []string{"AccessAnalyzer.ListAnalyzers"},
			Run:        settings,
		}},
	}
}

func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	s.Emit(accessanalyzer.RegionSettings{
		Resource: s.Resource(s.ARN("access-analyzer", "region-settings"), s.Region),
		Analyzers: collect.Ask(r, func(ctx context.Context) ([]accessanalyzer.Analyzer, error) {
			pages := sdk.NewListAnalyzersPaginator(client, &sdk.ListAnalyzersInput{MaxResults: aws.Int32(100)})
			return collect.Pages(ctx, pages, func(o *sdk.ListAnalyzersOutput) []accessanalyzer.Analyzer {
				analyzers := make([]accessanalyzer.Analyzer, len(o.Analyzers))
				for i, a := range collect.RequiredList("analyzers", o.Analyzers) {
					analyzers[i] = analyzer(a)
				}
				return analyzers
			})
		}),
	})
	return nil
}

func analyzer(a types.AnalyzerSummary) accessanalyzer.Analyzer {
	return accessanalyzer.Analyzer{Name: aws.ToString(a.Name), Type: string(collect.RequiredWord("type", a.Type)), Status: string(collect.RequiredWord("status", a.Status))}
}
