package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/lambda/collect"
)

const (
	functionPolicy = `{"Version":"2012-10-17","Statement":[]}`
	keyARN         = "arn:aws:kms:eu-west-1:111122223333:key/1"
	queueARN       = "arn:aws:sqs:eu-west-1:111122223333:failed"
	layerARN       = "arn:aws:lambda:eu-west-1:111122223333:layer:common:3"
	signingARN     = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"
	unusedARN      = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-2"
	address        = "https://abc.lambda-url.eu-west-1.on.aws/"
	password       = "correct-horse-battery"
)

func arn(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:function:" + name }

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListFunctionsInput](f,
		&sdk.ListFunctionsOutput{NextMarker: aws.String("2"), Functions: []types.FunctionConfiguration{{
			FunctionName: aws.String("resize"), FunctionArn: aws.String(arn("resize")), PackageType: types.PackageTypeZip,
			Runtime: types.RuntimePython313, KMSKeyArn: aws.String(keyARN),
			Environment:      &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "prod", "DB_PASSWORD": password}},
			VpcConfig:        &types.VpcConfigResponse{VpcId: aws.String("vpc-1"), SubnetIds: []string{"subnet-1"}},
			TracingConfig:    &types.TracingConfigResponse{Mode: types.TracingModeActive},
			DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String(queueARN)},
			Layers:           []types.Layer{{Arn: aws.String(layerARN)}},
		}}},
		&sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{
			{
				FunctionName: aws.String("image"), FunctionArn: aws.String(arn("image")), PackageType: types.PackageTypeImage,
				TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
			},
			locked("AccessDeniedException"), locked("InvalidKMSKey"), zip("qualified"), zip("unsigned"),
		}})
	fake.On(f, func(in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
		if *in.FunctionName != "resize" {
			return nil, fake.Error("ResourceNotFoundException")
		}
		return &sdk.GetPolicyOutput{Policy: aws.String(functionPolicy)}, nil
	})
	fake.On(f, func(in *sdk.GetFunctionConcurrencyInput) (*sdk.GetFunctionConcurrencyOutput, error) {
		if *in.FunctionName != "resize" {
			return &sdk.GetFunctionConcurrencyOutput{}, nil
		}
		return &sdk.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: aws.Int32(10)}, nil
	})
	fake.OnPages[sdk.ListCodeSigningConfigsInput](f,
		&sdk.ListCodeSigningConfigsOutput{NextMarker: aws.String("2"), CodeSigningConfigs: []types.CodeSigningConfig{{CodeSigningConfigArn: aws.String(unusedARN)}}},
		&sdk.ListCodeSigningConfigsOutput{CodeSigningConfigs: []types.CodeSigningConfig{{CodeSigningConfigArn: aws.String(signingARN)}}})
	fake.On(f, signed)
	fake.On(f, functionURLs)
}

// signed has two pages for one configuration; the other was just deleted.
func signed(in *sdk.ListFunctionsByCodeSigningConfigInput) (*sdk.ListFunctionsByCodeSigningConfigOutput, error) {
	switch {
	case *in.CodeSigningConfigArn == unusedARN:
		return nil, fake.Error("ResourceNotFoundException")
	case in.Marker == nil:
		return &sdk.ListFunctionsByCodeSigningConfigOutput{FunctionArns: []string{arn("resize")}, NextMarker: aws.String("2")}, nil
	default:
		return &sdk.ListFunctionsByCodeSigningConfigOutput{FunctionArns: []string{arn("qualified:$LATEST")}}, nil
	}
}

// functionURLs has two pages for one function, and nothing for the others.
func functionURLs(in *sdk.ListFunctionUrlConfigsInput) (*sdk.ListFunctionUrlConfigsOutput, error) {
	if *in.FunctionName != "resize" {
		return &sdk.ListFunctionUrlConfigsOutput{}, nil
	}
	config := types.FunctionUrlConfig{FunctionUrl: aws.String(address), AuthType: types.FunctionUrlAuthTypeNone}
	if in.Marker == nil {
		return &sdk.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []types.FunctionUrlConfig{config}, NextMarker: aws.String("2")}, nil
	}
	config.Cors = &types.Cors{AllowOrigins: []string{"*"}}
	return &sdk.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []types.FunctionUrlConfig{config}}, nil
}

// zip is a function that is no container image, of which nothing else is set.
func zip(name string) types.FunctionConfiguration {
	return types.FunctionConfiguration{FunctionName: &name, FunctionArn: aws.String(arn(name)), PackageType: types.PackageTypeZip}
}

// locked is a function whose environment Lambda cannot decrypt.
func locked(code string) types.FunctionConfiguration {
	return types.FunctionConfiguration{
		FunctionName: aws.String(code), FunctionArn: aws.String(arn(code)), PackageType: types.PackageTypeImage, KMSKeyArn: aws.String(keyARN),
		Environment:   &types.EnvironmentResponse{Error: &types.EnvironmentError{ErrorCode: aws.String(code), Message: aws.String("no")}},
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
	}
}

// image is what becomes of a function of which little is set.
func image(name string) lambda.Function {
	return lambda.Function{
		Resource:            model.Resource{Ref: model.Ref{ARN: arn(name), Account: collecttest.Account, Region: collecttest.Region, Name: name}},
		Detail:              fact.Known(lambda.Detail{Package: "Image", Tracing: "PassThrough"}),
		SecretVariables:     fact.Known[[]string](nil),
		Policy:              fact.Known(""),
		URLs:                fact.Known[[]lambda.URL](nil),
		ReservedConcurrency: fact.Known[*int32](nil),
	}
}

// TestEnvironmentTooLong: Lambda's own limit is 4 KB. What is longer is looked at in
// part, and only what is found there is known.
func TestEnvironmentTooLong(t *testing.T) {
	t.Parallel()
	for name, variables := range map[string]map[string]string{
		"unread": {"LONG": strings.Repeat("-", 100_000), "Z_PASSWORD": "correct-horse"},
		"found":  {"A_PASSWORD": "correct-horse", "LONG": strings.Repeat("-", 100_000)},
	} {
		cloud := fake.New()
		full(cloud)
		long := locked(name)
		long.Environment = &types.EnvironmentResponse{Variables: variables}
		fake.OnPages[sdk.ListFunctionsInput](cloud, &sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{long}})
		for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
			f, _ := r.(lambda.Function)
			if names, gap := f.SecretVariables.Get(); (gap == nil) != (name == "found") || gap != nil && gap.Reason != fact.NotCollected || gap == nil && len(names) != 1 {
				t.Errorf("%s: %v, %+v", name, names, gap)
			}
		}
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), lambda.Service())
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), cloud).Resources)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), password) || strings.Contains(string(data), "prod") {
		t.Errorf("a value of the environment was kept: %s", data)
	}
}

// A region without functions is not asked how their code is signed.
func TestNoFunctions(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	fake.On(cloud, func(*sdk.ListFunctionsInput) (*sdk.ListFunctionsOutput, error) {
		return &sdk.ListFunctionsOutput{}, nil
	})
	collecttest.Walk(t, collect.Spec(), cloud)
	if calls := cloud.Calls("Lambda.ListCodeSigningConfigs"); calls > 0 {
		t.Errorf("code signing was listed %d times", calls)
	}
}
