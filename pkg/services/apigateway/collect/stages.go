package collect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
)

// stages lists the stages of every API. Where those of one cannot be listed, the
// listing of stages as a whole is incomplete.
func stages(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	all, err := apis(ctx, s, client)
	if err != nil {
		return err
	}
	var once sync.Once
	var first error
	err = collect.EachOf(ctx, s, all, func(_ *collect.Reading, api types.RestApi) *apigateway.Stage {
		out, err := client.GetStages(ctx, &sdk.GetStagesInput{RestApiId: api.Id})
		if err != nil {
			once.Do(func() { first = fmt.Errorf("list the stages of %s: %w", *api.Id, err) })
			return nil
		}
		for _, found := range out.Item {
			name := aws.ToString(found.StageName)
			s.Emit(apigateway.Stage{
				Resource: s.Resource(arn(s, "/restapis/"+*api.Id+"/stages/"+name), aws.ToString(api.Name)+"/"+name),
				Detail:   fact.Known(stage(ctx, s, *api.Id, found)),
			})
		}
		return nil
	})
	return errors.Join(err, first)
}

// allMethods is the key of the settings that hold for every method without its
// own.
const allMethods = "*/*"

func stage(ctx context.Context, session *collect.Session, api string, s types.Stage) apigateway.StageDetail {
	search := collect.NewSearch(ctx)
	d := apigateway.StageDetail{
		API:               api,
		ExecutionLogs:     aws.ToString(s.MethodSettings[allMethods].LoggingLevel),
		Tracing:           s.TracingEnabled,
		WebACL:            aws.ToString(s.WebAclArn),
		ClientCertificate: aws.ToString(s.ClientCertificateId),
		Cache:             s.CacheClusterEnabled,
		SecretVariables:   search.Names(s.Variables),
	}
	d.UnreadVariables = search.Gap(session, "apigateway:GetStages")
	if s.AccessLogSettings != nil {
		d.AccessLogs = aws.ToString(s.AccessLogSettings.DestinationArn)
	}
	for _, key := range sorted(s.MethodSettings) {
		if m := s.MethodSettings[key]; m.CachingEnabled && !m.CacheDataEncrypted {
			d.PlainCaches = append(d.PlainCaches, key)
		}
		if s.MethodSettings[key].DataTraceEnabled {
			d.DataTraced = append(d.DataTraced, key)
		}
	}
	return d
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
