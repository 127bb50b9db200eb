package collect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
)

// stages lists the stages of every API. Where those of one cannot be listed, the
// listing of stages as a whole is incomplete.
func stages(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	all, err := apis(ctx, s, client)
	if err != nil {
		return err
	}
	var once sync.Once
	var first error
	err = collect.EachOf(ctx, s, all, func(r *collect.Reading, api types.RestApi) *apigateway.Stage {
		out, err := client.GetStages(ctx, &sdk.GetStagesInput{RestApiId: api.Id})
		if collect.Gone(err) {
			return nil
		}
		if err != nil {
			once.Do(func() { first = fmt.Errorf("list the stages of %s: %w", *api.Id, err) })
			return nil
		}
		for i, found := range collect.RequiredList("item", out.Item) {
			name := collect.RequiredText("stageName", found.StageName)
			s.Emit(apigateway.Stage{
				Resource: s.Resource(arn(s, "/restapis/"+*api.Id+"/stages/"+name), aws.ToString(api.Name)+"/"+name),
				Detail: collect.From(r, found, func(found types.Stage) apigateway.StageDetail {
					collect.RequiredMember(out.ResultMetadata, "", "item", strconv.Itoa(i), "methodSettings")
					for key, m := range found.MethodSettings { // false would pass for fine
						at := []string{"item", strconv.Itoa(i), "methodSettings", key}
						collect.RequiredMember(out.ResultMetadata, m.CachingEnabled, append(at, "cachingEnabled")...)
						collect.RequiredMember(out.ResultMetadata, m.DataTraceEnabled, append(at, "dataTraceEnabled")...)
						collect.RequiredMember(out.ResultMetadata, m.CacheDataEncrypted, append(at, "cacheDataEncrypted")...)
					}
					d := stage(ctx, s, found)
					d.Tracing = collect.Member(out.ResultMetadata, found.TracingEnabled, "item", strconv.Itoa(i), "tracingEnabled")
					return d
				}),
			})
		}
		return nil
	})
	return errors.Join(err, first)
}

// allMethods is the key of the settings that hold for every method without its
// own.
const allMethods = "*/*"

func stage(ctx context.Context, session *collect.Session, s types.Stage) apigateway.StageDetail {
	search := collect.NewSearch(ctx)
	d := apigateway.StageDetail{
		ExecutionLogs:     aws.ToString(s.MethodSettings[allMethods].LoggingLevel),
		WebACL:            aws.ToString(s.WebAclArn),
		ClientCertificate: aws.ToString(s.ClientCertificateId),
		Cache:             s.CacheClusterEnabled,
		CacheSettled:      has(s.MethodSettings, allMethods),
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

func has[T any](m map[string]T, key string) bool {
	_, ok := m[key]
	return ok
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
