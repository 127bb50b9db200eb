// Package collect reads ECR's private repositories and registry from AWS, but no
// image.
package collect

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/ecr"
)

// Spec is how ECR is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "ecr",
		Walks: []collect.Walk{
			{
				Kinds:      []string{ecr.Repository{}.Kind()},
				Operations: []string{"ECR.DescribeRepositories", "ECR.GetRepositoryPolicy", "ECR.GetLifecyclePolicy"},
				Run:        repositories,
			},
			{
				Kinds:      []string{ecr.Registry{}.Kind()},
				Operations: []string{"ECR.GetRegistryPolicy", "ECR.GetRegistryScanningConfiguration"},
				Run:        registry,
			},
		},
	}
}

func repositories(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeRepositoriesPaginator(client, &sdk.DescribeRepositoriesInput{MaxResults: aws.Int32(1000)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeRepositoriesOutput) []types.Repository { return o.Repositories },
		func(r *collect.Reading, found types.Repository) *ecr.Repository {
			x := &ecr.Repository{Resource: s.Resource(collect.RequiredARN("repositoryArn", found.RepositoryArn), collect.RequiredText("repositoryName", found.RepositoryName)), Detail: collect.From(r, found, detail)}
			collect.Into(r, &x.Policy, client.GetRepositoryPolicy, &sdk.GetRepositoryPolicyInput{RepositoryName: found.RepositoryName},
				func(o *sdk.GetRepositoryPolicyOutput) string {
					return s.Policy(collect.RequiredText("policyText", o.PolicyText))
				}, "RepositoryPolicyNotFoundException")
			collect.Into(r, &x.Lifecycle, client.GetLifecyclePolicy, &sdk.GetLifecyclePolicyInput{RepositoryName: found.RepositoryName},
				func(o *sdk.GetLifecyclePolicyOutput) bool {
					return collect.RequiredText("lifecyclePolicyText", o.LifecyclePolicyText) != ""
				}, "LifecyclePolicyNotFoundException")
			return x
		})
}

func detail(found types.Repository) ecr.Detail {
	d := ecr.Detail{TagMutability: string(found.ImageTagMutability)}
	if found.ImageScanningConfiguration != nil {
		d.ScanOnPush = found.ImageScanningConfiguration.ScanOnPush
	}
	if found.EncryptionConfiguration != nil {
		d.Encryption = string(found.EncryptionConfiguration.EncryptionType)
	}
	return d
}

func registry(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	x := ecr.Registry{Resource: s.Resource(s.ARN("ecr", "registry-scanning-configuration"), "")}
	r := collect.NewReading(ctx, s)
	collect.Into(r, &x.Policy, client.GetRegistryPolicy, &sdk.GetRegistryPolicyInput{},
		func(o *sdk.GetRegistryPolicyOutput) string {
			return s.Policy(collect.RequiredText("policyText", o.PolicyText))
		}, "RegistryPolicyNotFoundException")
	x.Scanning = collect.Ask(r, func(ctx context.Context) (ecr.Scanning, error) {
		o, err := client.GetRegistryScanningConfiguration(ctx, &sdk.GetRegistryScanningConfigurationInput{})
		if err != nil {
			return ecr.Scanning{}, err
		}
		if o.ScanningConfiguration == nil {
			return ecr.Scanning{}, fmt.Errorf("%w: ScanningConfiguration", collect.ErrGarbled)
		}
		return scanning(*o.ScanningConfiguration), nil
	})
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(x)
	return nil
}

// scanning leaves out rules by which images are scanned by hand only.
func scanning(c types.RegistryScanningConfiguration) ecr.Scanning {
	found := ecr.Scanning{Type: string(c.ScanType)}
	for _, rule := range c.Rules {
		if collect.Known("scanFrequency", rule.ScanFrequency, rule.ScanFrequency.Values()...) == types.ScanFrequencyManual {
			continue
		}
		for _, filter := range rule.RepositoryFilters {
			found.Filters = append(found.Filters, collect.RequiredText("filter", filter.Filter))
		}
	}
	return found
}
