package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/ecr"
	"github.com/cloudarq/cloudarq/pkg/services/ecr/collect"
)

const repositoryPolicy = `{"Version":"2008-10-17","Statement":[]}`

func arn(name string) string { return "arn:aws:ecr:eu-west-1:111122223333:repository/" + name }

func full(f *fake.Fake) {
	fake.OnPages[sdk.DescribeRepositoriesInput](f,
		&sdk.DescribeRepositoriesOutput{NextToken: aws.String("2"), Repositories: []types.Repository{{
			RepositoryArn: aws.String(arn("web")), RepositoryName: aws.String("web"), ImageTagMutability: types.ImageTagMutabilityImmutable,
			ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
			EncryptionConfiguration: &types.EncryptionConfiguration{
				EncryptionType: types.EncryptionTypeKms, KmsKey: aws.String("arn:aws:kms:eu-west-1:111122223333:key/1"),
			},
		}}},
		&sdk.DescribeRepositoriesOutput{Repositories: []types.Repository{{
			RepositoryArn: aws.String(arn("plain")), RepositoryName: aws.String("plain"), ImageTagMutability: types.ImageTagMutabilityMutable,
			ImageScanningConfiguration: &types.ImageScanningConfiguration{},
			EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256},
		}}})
	fake.On(f, func(in *sdk.GetRepositoryPolicyInput) (*sdk.GetRepositoryPolicyOutput, error) {
		if *in.RepositoryName == "plain" {
			return nil, fake.Error("RepositoryPolicyNotFoundException")
		}
		return &sdk.GetRepositoryPolicyOutput{PolicyText: aws.String(repositoryPolicy)}, nil
	})
	fake.On(f, func(in *sdk.GetLifecyclePolicyInput) (*sdk.GetLifecyclePolicyOutput, error) {
		if *in.RepositoryName == "plain" {
			return nil, fake.Error("LifecyclePolicyNotFoundException")
		}
		return &sdk.GetLifecyclePolicyOutput{LifecyclePolicyText: aws.String(`{"rules":[]}`)}, nil
	})
	fake.On(f, func(*sdk.GetRegistryScanningConfigurationInput) (*sdk.GetRegistryScanningConfigurationOutput, error) {
		return &sdk.GetRegistryScanningConfigurationOutput{RegistryId: aws.String("111122223333"), ScanningConfiguration: &types.RegistryScanningConfiguration{
			ScanType: types.ScanTypeEnhanced,
			Rules:    []types.RegistryScanningRule{rule(types.ScanFrequencyContinuousScan, "prod*"), rule(types.ScanFrequencyManual, "*")},
		}}, nil
	})
}

func rule(frequency types.ScanFrequency, filter string) types.RegistryScanningRule {
	return types.RegistryScanningRule{ScanFrequency: frequency, RepositoryFilters: []types.ScanningRepositoryFilter{
		{Filter: aws.String(filter), FilterType: types.ScanningRepositoryFilterTypeWildcard},
	}}
}

func resource(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		ecr.Repository{
			Resource: resource(arn("web"), "web"),
			Detail:   fact.Known(ecr.Detail{ScanOnPush: true, TagMutability: "IMMUTABLE", Encryption: "KMS"}),
			Policy:   fact.Known(repositoryPolicy), Lifecycle: fact.Known(true),
		},
		ecr.Repository{
			Resource: resource(arn("plain"), "plain"),
			Detail:   fact.Known(ecr.Detail{TagMutability: "MUTABLE", Encryption: "AES256"}),
			Policy:   fact.Known(""), Lifecycle: fact.Known(false),
		},
		ecr.Registry{
			Resource: resource("arn:aws:ecr:eu-west-1:111122223333:registry-scanning-configuration", ""),
			Scanning: fact.Known(ecr.Scanning{Type: "ENHANCED", Filters: []string{"prod*"}}),
		},
	})
}
