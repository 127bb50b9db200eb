// Package collect reads Lambda functions from AWS, but neither their code nor
// the values of their environment.
package collect

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
)

// Spec is how Lambda is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "lambda",
		Walks: []collect.Walk{
			{
				Kinds: []string{lambda.Function{}.Kind()},
				Operations: []string{
					"Lambda.ListFunctions", "Lambda.GetPolicy", "Lambda.ListAliases", "Lambda.ListFunctionEventInvokeConfigs", "Lambda.ListFunctionUrlConfigs",
					"Lambda.GetFunctionConcurrency", "Lambda.ListCodeSigningConfigs", "Lambda.ListFunctionsByCodeSigningConfig",
				},
				Run: functions,
			},
			{
				Kinds:      []string{lambda.LayerVersion{}.Kind()},
				Operations: []string{"Lambda.ListLayers", "Lambda.ListLayerVersions", "Lambda.GetLayerVersionPolicy"},
				Run:        layerVersions,
			},
		},
	}
}

func functions(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	signed := sync.OnceValue(func() fact.Of[map[string]string] { return signing(collect.NewReading(ctx, s), client) })
	published := sync.OnceValue(func() fact.Of[map[string][]string] { return published(collect.NewReading(ctx, s), client) })
	// Lambda gives at most 50 at a time, whatever is asked.
	// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
	pages := sdk.NewListFunctionsPaginator(client, &sdk.ListFunctionsInput{MaxItems: aws.Int32(50)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListFunctionsOutput) []types.FunctionConfiguration { return o.Functions },
		func(r *collect.Reading, c types.FunctionConfiguration) *lambda.Function {
			f := function(ctx, r, s, client, c)
			r.Do(func(context.Context) { f.Versions = versions(r, s, client, c.FunctionName, published(), f.ARN) })
			if c.PackageType != types.PackageTypeImage {
				r.Do(func(context.Context) {
					f.CodeSigning = fact.Map(signed(), func(configs map[string]string) string { return configs[f.ARN] })
				})
			}
			return f
		})
}

func function(ctx context.Context, r *collect.Reading, s *collect.Session, client *sdk.Client, c types.FunctionConfiguration) *lambda.Function {
	f := &lambda.Function{
		Resource:        s.Resource(collect.RequiredARN("FunctionArn", c.FunctionArn), collect.RequiredText("FunctionName", c.FunctionName)),
		Detail:          collect.From(r, c, detail),
		SecretVariables: secretVariables(ctx, s, c.Environment),
	}
	collect.Into(r, &f.Policy, client.GetPolicy, &sdk.GetPolicyInput{FunctionName: c.FunctionName},
		func(o *sdk.GetPolicyOutput) string { return s.Policy(collect.RequiredText("Policy", o.Policy)) }, "ResourceNotFoundException")
	r.Do(func(context.Context) {
		f.Aliases = collect.Ask(r, func(ctx context.Context) ([]lambda.Qualified, error) { return aliases(ctx, s, client, c.FunctionName) })
	})
	collect.Into(r, &f.ReservedConcurrency, client.GetFunctionConcurrency, &sdk.GetFunctionConcurrencyInput{FunctionName: c.FunctionName},
		func(o *sdk.GetFunctionConcurrencyOutput) *int32 { return o.ReservedConcurrentExecutions })
	r.Do(func(context.Context) {
		f.URLs = collect.Ask(r, func(ctx context.Context) ([]lambda.URL, error) {
			pages := sdk.NewListFunctionUrlConfigsPaginator(client, &sdk.ListFunctionUrlConfigsInput{FunctionName: c.FunctionName, MaxItems: aws.Int32(50)})
			return collect.Pages(ctx, pages, urls)
		})
	})
	if c.DeadLetterConfig == nil || aws.ToString(c.DeadLetterConfig.TargetArn) == "" {
		r.Do(func(context.Context) {
			f.Destinations = collect.Ask(r, func(ctx context.Context) ([]string, error) {
				pages := sdk.NewListFunctionEventInvokeConfigsPaginator(client, &sdk.ListFunctionEventInvokeConfigsInput{FunctionName: c.FunctionName, MaxItems: aws.Int32(50)})
				return collect.Pages(ctx, pages, destinations)
			})
		})
	}
	return f
}

func aliases(ctx context.Context, s *collect.Session, client *sdk.Client, function *string) ([]lambda.Qualified, error) {
	pages := sdk.NewListAliasesPaginator(client, &sdk.ListAliasesInput{FunctionName: function, MaxItems: aws.Int32(50)})
	listed, err := collect.Pages(ctx, pages, func(o *sdk.ListAliasesOutput) []types.AliasConfiguration {
		return collect.RequiredList("Aliases", o.Aliases)
	})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(listed))
	for _, a := range listed {
		names = append(names, collect.RequiredText("Name", a.Name))
	}
	return qualified(ctx, s, client, function, names)
}

// published is the numbers of the published versions of each function that has some, by
// the function's ARN: one listing of the region tells them, asked with the first function.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html (FunctionVersion), 29 November 2026.
func published(r *collect.Reading, client *sdk.Client) fact.Of[map[string][]string] {
	return collect.Ask(r, func(ctx context.Context) (map[string][]string, error) {
		pages := sdk.NewListFunctionsPaginator(client, &sdk.ListFunctionsInput{MaxItems: aws.Int32(50), FunctionVersion: types.FunctionVersionAll})
		numbers := map[string][]string{}
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, c := range page.Functions {
				if number := collect.RequiredText("Version", c.Version); number != unpublished {
					arn := unqualified(collect.RequiredARN("FunctionArn", c.FunctionArn))
					numbers[arn] = append(numbers[arn], number)
				}
			}
		}
		return numbers, nil
	})
}

// unpublished is the version of a function that can still be changed.
const unpublished = "$LATEST"

// versions is a function's published versions with their policies.
func versions(r *collect.Reading, s *collect.Session, client *sdk.Client, function *string, published fact.Of[map[string][]string], arn string) fact.Of[[]lambda.Qualified] {
	numbers, gap := published.Get()
	if gap != nil {
		return fact.Unknown[[]lambda.Qualified](*gap)
	}
	return collect.Ask(r, func(ctx context.Context) ([]lambda.Qualified, error) {
		return qualified(ctx, s, client, function, numbers[arn])
	})
}

// qualified reads the policies of a function's aliases or versions.
func qualified(ctx context.Context, s *collect.Session, client *sdk.Client, function *string, qualifiers []string) ([]lambda.Qualified, error) {
	var all []lambda.Qualified
	for _, name := range qualifiers {
		q := lambda.Qualified{Qualifier: name}
		o, err := client.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: function, Qualifier: &name})
		switch {
		case collect.HasCode(err, "ResourceNotFoundException"): // it has no policy, or is gone
		case err != nil:
			return nil, err
		default:
			q.Policy = s.Policy(collect.RequiredText("Policy", o.Policy))
		}
		all = append(all, q)
	}
	return all, nil
}

func destinations(o *sdk.ListFunctionEventInvokeConfigsOutput) []string {
	var all []string
	for _, c := range collect.RequiredList("FunctionEventInvokeConfigs", o.FunctionEventInvokeConfigs) {
		if d := c.DestinationConfig; d != nil && d.OnFailure != nil && aws.ToString(d.OnFailure.Destination) != "" {
			all = append(all, *d.OnFailure.Destination)
		}
	}
	return all
}

// signing is the code signing configuration of each function that has one, by the
// function's ARN. A region has few configurations, and mostly none: it is asked
// from their side, with the first function.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html
func signing(r *collect.Reading, client *sdk.Client) fact.Of[map[string]string] {
	return collect.Ask(r, func(ctx context.Context) (map[string]string, error) {
		pages := sdk.NewListCodeSigningConfigsPaginator(client, &sdk.ListCodeSigningConfigsInput{MaxItems: aws.Int32(mostSigning)})
		configs, err := collect.Pages(ctx, pages, func(o *sdk.ListCodeSigningConfigsOutput) []types.CodeSigningConfig { return o.CodeSigningConfigs })
		if err != nil {
			return nil, err
		}
		signed := map[string]string{}
		for _, c := range configs {
			pages := sdk.NewListFunctionsByCodeSigningConfigPaginator(client, &sdk.ListFunctionsByCodeSigningConfigInput{
				CodeSigningConfigArn: c.CodeSigningConfigArn, MaxItems: aws.Int32(mostSigning),
			})
			functions, err := collect.Pages(ctx, pages, func(o *sdk.ListFunctionsByCodeSigningConfigOutput) []string { return o.FunctionArns })
			if err != nil && !collect.HasCode(err, "ResourceNotFoundException") { // deleted since it was listed
				return nil, err
			}
			for _, arn := range functions {
				signed[unqualified(arn)] = aws.ToString(c.CodeSigningConfigArn)
			}
		}
		return signed, nil
	})
}

// mostSigning is the largest page of the listings of code signing.
const mostSigning = 10_000

// unqualified is a function's ARN without the version or alias that may end it.
func unqualified(arn string) string {
	parts := strings.SplitN(arn, ":", 8)
	return strings.Join(parts[:min(7, len(parts))], ":")
}

func urls(o *sdk.ListFunctionUrlConfigsOutput) []lambda.URL {
	var all []lambda.URL
	for _, config := range o.FunctionUrlConfigs {
		url := lambda.URL{
			Address: collect.RequiredText("FunctionUrl", config.FunctionUrl),
			Auth:    string(collect.Known("AuthType", config.AuthType, config.AuthType.Values()...)),
		}
		if config.Cors != nil {
			for _, origin := range config.Cors.AllowOrigins {
				if origin != "*" && !strings.Contains(origin, "://") {
					collect.Garbled("%q is no origin", origin)
				}
			}
			url.Origins = config.Cors.AllowOrigins
		}
		all = append(all, url)
	}
	return all
}

func detail(c types.FunctionConfiguration) lambda.Detail {
	d := lambda.Detail{
		Package:     string(c.PackageType),
		Runtime:     string(c.Runtime),
		Environment: c.Environment != nil && (len(c.Environment.Variables) > 0 || c.Environment.Error != nil),
		KMSKey:      aws.ToString(c.KMSKeyArn),
	}
	if c.VpcConfig != nil {
		d.VPC, d.Subnets, d.Groups = aws.ToString(c.VpcConfig.VpcId), c.VpcConfig.SubnetIds, c.VpcConfig.SecurityGroupIds
	}
	if c.TracingConfig != nil {
		d.Tracing = string(c.TracingConfig.Mode)
	}
	if c.DeadLetterConfig != nil {
		d.DeadLetter = aws.ToString(c.DeadLetterConfig.TargetArn)
	}
	for _, layer := range c.Layers {
		d.Layers = append(d.Layers, collect.RequiredARN("Layers.Arn", layer.Arn))
	}
	return d
}

// secretVariables reduces an environment to the names of what looks like a
// credential. Where it is encrypted under a key that the auditor may not use,
// Lambda gives an error in the place of the variables.
// https://docs.aws.amazon.com/lambda/latest/api/API_EnvironmentResponse.html
func secretVariables(ctx context.Context, s *collect.Session, environment *types.EnvironmentResponse) fact.Of[[]string] {
	if environment == nil {
		return fact.Known[[]string](nil)
	}
	if environment.Error == nil && environment.Variables == nil {
		return fact.Unknown[[]string](fact.Gap{Reason: fact.Failed, Operation: "lambda:ListFunctions", Region: s.Region, Detail: "an environment without variables or error"})
	}
	if environment.Error != nil {
		gap := fact.Gap{
			Reason: fact.Failed, Operation: "lambda:ListFunctions", Region: s.Region,
			Detail: "environment: " + aws.ToString(environment.Error.ErrorCode),
		}
		// No action is named that would close the gap: an auditor need not decrypt.
		if strings.Contains(gap.Detail, "AccessDenied") {
			gap.Reason = fact.Denied
		}
		return fact.Unknown[[]string](gap)
	}
	search := collect.NewSearch(ctx)
	names := search.Names(environment.Variables)
	return collect.Searched(s, search, "lambda:ListFunctions", names, len(names) > 0)
}
