// Package collect reads API Gateway's REST APIs from AWS.
package collect

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
)

// Spec is how API Gateway's REST APIs are collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "apigateway",
		Walks: []collect.Walk{
			{
				Kinds:      []string{apigateway.RestAPI{}.Kind()},
				Operations: []string{"API Gateway.GetRestApis", "API Gateway.GetResources"},
				Run:        restAPIs,
			},
			{
				Kinds:      []string{apigateway.Stage{}.Kind()},
				Operations: []string{"API Gateway.GetRestApis", "API Gateway.GetStages"},
				Run:        stages,
			},
			{
				Kinds:      []string{apigateway.DomainName{}.Kind()},
				Operations: []string{"API Gateway.GetDomainNames", "API Gateway.GetBasePathMappings"},
				Run:        domainNames,
			},
		},
	}
}

const most = 500

// arn makes an ARN of API Gateway, which names no account.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func arn(s *collect.Session, path string) string {
	return "arn:" + s.Partition + ":apigateway:" + s.Region + "::" + path
}

// apis lists the REST APIs of the region, for all walks that begin with them.
func apis(ctx context.Context, s *collect.Session, client *sdk.Client) ([]types.RestApi, error) {
	return collect.Once(s, "apis", func() ([]types.RestApi, error) {
		pages := sdk.NewGetRestApisPaginator(client, &sdk.GetRestApisInput{Limit: aws.Int32(most)})
		return collect.Pages(ctx, pages, func(o *sdk.GetRestApisOutput) []types.RestApi { return o.Items })
	})
}

func restAPIs(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	found, err := apis(ctx, s, client)
	if err != nil {
		return err
	}
	return collect.EachOf(ctx, s, found, func(r *collect.Reading, found types.RestApi) *apigateway.RestAPI {
		a := &apigateway.RestAPI{Resource: s.Resource(arn(s, "/restapis/"+*found.Id), aws.ToString(found.Name))}
		a.Detail = collect.From(r, found, func(a types.RestApi) apigateway.Detail { return detail(s, a) })
		r.Do(func(context.Context) { a.Methods = methods(r, client, found.Id) })
		return a
	})
}

func detail(s *collect.Session, a types.RestApi) apigateway.Detail {
	d := apigateway.Detail{ID: *a.Id, Policy: s.Policy(unescaped(aws.ToString(a.Policy))), DefaultEndpointDisabled: a.DisableExecuteApiEndpoint}
	for _, kind := range collect.Required("endpointConfiguration", a.EndpointConfiguration).Types {
		d.Private = d.Private || collect.Known("endpointConfiguration.types", kind, kind.Values()...) == types.EndpointTypePrivate
	}
	return d
}

// unescaped is a policy as it was written: API Gateway hands it out as the inside
// of a JSON string, with every quote escaped.
func unescaped(policy string) string {
	var plain string
	if strings.HasPrefix(policy, `{\"`) && json.Unmarshal([]byte(`"`+policy+`"`), &plain) == nil {
		return plain
	}
	return policy
}

// methods asks for all methods at once, embedded in the resources.
func methods(r *collect.Reading, client *sdk.Client, api *string) fact.Of[[]apigateway.Method] {
	return collect.Ask(r, func(ctx context.Context) ([]apigateway.Method, error) {
		pages := sdk.NewGetResourcesPaginator(client, &sdk.GetResourcesInput{RestApiId: api, Embed: []string{"methods"}, Limit: aws.Int32(most)})
		return collect.Pages(ctx, pages, func(o *sdk.GetResourcesOutput) []apigateway.Method {
			var all []apigateway.Method
			for _, resource := range collect.RequiredList("item", o.Items) {
				for _, name := range sorted(resource.ResourceMethods) {
					m := resource.ResourceMethods[name]
					all = append(all, apigateway.Method{
						Path: aws.ToString(resource.Path), HTTP: name,
						Authorization: collect.RequiredText("authorizationType", m.AuthorizationType), Validated: aws.ToString(m.RequestValidatorId) != "",
					})
				}
			}
			return all
		})
	})
}

func domainNames(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewGetDomainNamesPaginator(client, &sdk.GetDomainNamesInput{Limit: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.GetDomainNamesOutput) []types.DomainName { return o.Items },
		func(r *collect.Reading, found types.DomainName) *apigateway.DomainName {
			id := aws.ToString(found.DomainNameArn)
			if id == "" {
				id = arn(s, "/domainnames/"+*found.DomainName)
			}
			n := &apigateway.DomainName{Resource: s.Resource(id, *found.DomainName)}
			n.Detail = fact.Known(apigateway.DomainDetail{State: string(found.DomainNameStatus), SecurityPolicy: string(found.SecurityPolicy)})
			r.Do(func(context.Context) { n.APIs = mapped(r, client, found) })
			return n
		})
}

// mapped are the ids of the APIs under a name.
func mapped(r *collect.Reading, client *sdk.Client, name types.DomainName) fact.Of[[]string] {
	return collect.Ask(r, func(ctx context.Context) ([]string, error) {
		pages := sdk.NewGetBasePathMappingsPaginator(client, &sdk.GetBasePathMappingsInput{
			DomainName: name.DomainName, DomainNameId: name.DomainNameId, Limit: aws.Int32(most),
		})
		return collect.Pages(ctx, pages, func(o *sdk.GetBasePathMappingsOutput) []string {
			var ids []string
			for _, mapping := range o.Items {
				ids = append(ids, aws.ToString(mapping.RestApiId))
			}
			return ids
		})
	})
}
