package collect_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway/collect"
)

const logGroup = "arn:aws:logs:eu-west-1:111122223333:log-group:api"

// full answers each listing by the token asked for, since the APIs are listed by
// two walks.
func full(f *fake.Fake) {
	fake.On(f, func(in *sdk.GetRestApisInput) (*sdk.GetRestApisOutput, error) {
		if in.Position == nil {
			return &sdk.GetRestApisOutput{Position: aws.String("2"), Items: []types.RestApi{{
				Id: aws.String("a1"), Name: aws.String("shop"), DisableExecuteApiEndpoint: true,
				Policy:                aws.String(`{\"Version\":\"2012-10-17\",\"Statement\":[]}`),
				EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypePrivate}},
			}}}, nil
		}
		return &sdk.GetRestApisOutput{Items: []types.RestApi{{Id: aws.String("a2"), Name: aws.String("plain"), Policy: aws.String(`{"Version": "2012-10-17"}`)}}}, nil
	})
	fake.On(f, func(in *sdk.GetResourcesInput) (*sdk.GetResourcesOutput, error) {
		switch {
		case *in.RestApiId == "a2":
			return &sdk.GetResourcesOutput{Items: []types.Resource{{Id: aws.String("r0"), Path: aws.String("/")}}}, nil
		case in.Position == nil:
			return &sdk.GetResourcesOutput{Position: aws.String("2"), Items: []types.Resource{{Id: aws.String("r1"), Path: aws.String("/pets"), ResourceMethods: map[string]types.Method{
				"POST": {HttpMethod: aws.String("POST"), AuthorizationType: aws.String("AWS_IAM"), RequestValidatorId: aws.String("v1")},
				"GET":  {HttpMethod: aws.String("GET"), AuthorizationType: aws.String("NONE")},
			}}}}, nil
		default:
			return &sdk.GetResourcesOutput{Items: []types.Resource{{Id: aws.String("r2"), Path: aws.String("/any"), ResourceMethods: map[string]types.Method{
				"ANY": {HttpMethod: aws.String("ANY"), AuthorizationType: aws.String("CUSTOM")},
			}}}}, nil
		}
	})
	fake.On(f, func(in *sdk.GetStagesInput) (*sdk.GetStagesOutput, error) {
		if *in.RestApiId == "a2" {
			return &sdk.GetStagesOutput{Item: []types.Stage{{StageName: aws.String("test"), Variables: map[string]string{"long": strings.Repeat("-", 100_000)}}}}, nil
		}
		return &sdk.GetStagesOutput{Item: []types.Stage{{
			StageName: aws.String("prod"), TracingEnabled: true, WebAclArn: aws.String("acl"), ClientCertificateId: aws.String("c1"), CacheClusterEnabled: true,
			AccessLogSettings: &types.AccessLogSettings{DestinationArn: aws.String(logGroup)},
			MethodSettings: map[string]types.MethodSetting{
				"*/*":         {LoggingLevel: aws.String("INFO"), CachingEnabled: true, CacheDataEncrypted: true},
				"~1pets/GET":  {CachingEnabled: true},
				"~1pets/POST": {DataTraceEnabled: true},
			},
			Variables: map[string]string{"db_password": "correct-horse", "table": "pets"},
		}}}, nil
	})
	fake.OnPages[sdk.GetDomainNamesInput](f,
		&sdk.GetDomainNamesOutput{Position: aws.String("2"), Items: []types.DomainName{{DomainName: aws.String("api.example.com"), SecurityPolicy: types.SecurityPolicyTls12, DomainNameStatus: types.DomainNameStatusAvailable}}},
		&sdk.GetDomainNamesOutput{Items: []types.DomainName{{
			DomainName: aws.String("inside.example.com"), DomainNameId: aws.String("d1"), SecurityPolicy: types.SecurityPolicyTls10,
			DomainNameArn: aws.String("arn:aws:apigateway:eu-west-1:111122223333:/domainnames/inside.example.com+d1"),
		}}})
	fake.On(f, func(in *sdk.GetBasePathMappingsInput) (*sdk.GetBasePathMappingsOutput, error) {
		switch {
		case *in.DomainName == "inside.example.com":
			return &sdk.GetBasePathMappingsOutput{}, nil
		case in.Position == nil:
			return &sdk.GetBasePathMappingsOutput{Position: aws.String("2"), Items: []types.BasePathMapping{{BasePath: aws.String("(none)"), RestApiId: aws.String("a1")}}}, nil
		default:
			return &sdk.GetBasePathMappingsOutput{Items: []types.BasePathMapping{{BasePath: aws.String("v2"), RestApiId: aws.String("a2")}}}, nil
		}
	})
}

func resource(path, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: "arn:aws:apigateway:eu-west-1::" + path, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	inside := resource("", "inside.example.com")
	inside.ARN = "arn:aws:apigateway:eu-west-1:111122223333:/domainnames/inside.example.com+d1"
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		apigateway.RestAPI{
			Resource: resource("/restapis/a1", "shop"),
			Detail:   fact.Known(apigateway.Detail{ID: "a1", Private: true, Policy: `{"Version":"2012-10-17","Statement":[]}`, DefaultEndpointDisabled: true}),
			Methods: fact.Known([]apigateway.Method{
				{Path: "/pets", HTTP: "GET", Authorization: "NONE"},
				{Path: "/pets", HTTP: "POST", Authorization: "AWS_IAM", Validated: true},
				{Path: "/any", HTTP: "ANY", Authorization: "CUSTOM"},
			}),
		},
		apigateway.RestAPI{
			Resource: resource("/restapis/a2", "plain"), Detail: fact.Known(apigateway.Detail{ID: "a2", Policy: `{"Version": "2012-10-17"}`}),
			Methods: fact.Known([]apigateway.Method(nil)),
		},
		apigateway.Stage{
			Resource: resource("/restapis/a1/stages/prod", "shop/prod"),
			Detail: fact.Known(apigateway.StageDetail{
				API: "a1", AccessLogs: logGroup, ExecutionLogs: "INFO", DataTraced: []string{"~1pets/POST"}, Tracing: true, WebACL: "acl",
				ClientCertificate: "c1", Cache: true, PlainCaches: []string{"~1pets/GET"}, SecretVariables: []string{"db_password"},
			}),
		},
		apigateway.Stage{Resource: resource("/restapis/a2/stages/test", "plain/test"), Detail: fact.Known(apigateway.StageDetail{API: "a2", UnreadVariables: &fact.Gap{
			Reason: fact.NotCollected, Operation: "apigateway:GetStages", Region: collecttest.Region, Detail: "only the first 64 KiB were looked at",
		}})},
		apigateway.DomainName{
			Resource: resource("/domainnames/api.example.com", "api.example.com"), APIs: fact.Known([]string{"a1", "a2"}),
			Detail: fact.Known(apigateway.DomainDetail{State: "AVAILABLE", SecurityPolicy: "TLS_1_2"}),
		},
		apigateway.DomainName{Resource: inside, Detail: fact.Known(apigateway.DomainDetail{SecurityPolicy: "TLS_1_0"}), APIs: fact.Known([]string(nil))},
	})
}
