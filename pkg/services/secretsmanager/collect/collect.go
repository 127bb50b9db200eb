// Package collect reads the secrets of Secrets Manager from AWS, but never a
// value.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
)

// Spec is how Secrets Manager is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "secretsmanager",
		Walks: []collect.Walk{{
			Kinds:      []string{secretsmanager.Secret{}.Kind()},
			Operations: []string{"Secrets Manager.ListSecrets", "Secrets Manager.GetResourcePolicy"},
			Run:        secrets,
		}},
	}
}

func secrets(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListSecretsPaginator(client, &sdk.ListSecretsInput{MaxResults: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListSecretsOutput) []types.SecretListEntry { return o.SecretList },
		func(r *collect.Reading, entry types.SecretListEntry) *secretsmanager.Secret {
			secret := &secretsmanager.Secret{Resource: s.Resource(collect.RequiredARN("ARN", entry.ARN), aws.ToString(entry.Name)), Detail: collect.From(r, entry, detail)}
			// A secret without a policy is answered by one without ResourcePolicy.
			collect.Into(r, &secret.Policy, client.GetResourcePolicy, &sdk.GetResourcePolicyInput{SecretId: entry.ARN},
				func(o *sdk.GetResourcePolicyOutput) string {
					collect.RequiredARN("ARN", o.ARN)
					return s.Policy(collect.Optional("ResourcePolicy", o.ResourcePolicy))
				})
			return secret
		})
}

func detail(entry types.SecretListEntry) secretsmanager.Detail {
	d := secretsmanager.Detail{
		KMSKey:        aws.ToString(entry.KmsKeyId),
		OwningService: collect.Optional("OwningService", entry.OwningService),
		PrimaryRegion: collect.Optional("PrimaryRegion", entry.PrimaryRegion),
		Created:       collect.Required("CreatedDate", entry.CreatedDate),
		Changed:       entry.LastChangedDate,
		Accessed:      entry.LastAccessedDate,
		Rotation: secretsmanager.Rotation{
			Enabled: aws.ToBool(entry.RotationEnabled),
			Last:    entry.LastRotatedDate,
			Next:    entry.NextRotationDate,
		},
	}
	if entry.RotationRules != nil {
		d.Rotation.Days = aws.ToInt64(entry.RotationRules.AutomaticallyAfterDays)
	}
	return d
}
