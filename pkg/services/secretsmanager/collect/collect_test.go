package collect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager/collect"
)

const (
	secretPolicy = `{"Version":"2012-10-17","Statement":[]}`
	databaseARN  = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-1-AbCdEf"
	plainARN     = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:api-GhIjKl"
	keyARN       = "arn:aws:kms:eu-west-1:111122223333:key/1"
)

func on(day int) *time.Time { return new(time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC)) }

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListSecretsInput](f,
		&sdk.ListSecretsOutput{NextToken: aws.String("2"), SecretList: []types.SecretListEntry{{
			ARN: aws.String(databaseARN), Name: aws.String("rds!db-1"), KmsKeyId: aws.String(keyARN),
			OwningService: aws.String("rds"), PrimaryRegion: aws.String("eu-west-1"), RotationEnabled: aws.Bool(true),
			RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(7)},
			CreatedDate:   on(1), LastChangedDate: on(2), LastAccessedDate: on(3), LastRotatedDate: on(4), NextRotationDate: on(11),
		}}},
		&sdk.ListSecretsOutput{SecretList: []types.SecretListEntry{{ARN: aws.String(plainARN), Name: aws.String("api"), CreatedDate: on(1)}}})
	fake.On(f, func(in *sdk.GetResourcePolicyInput) (*sdk.GetResourcePolicyOutput, error) {
		o := &sdk.GetResourcePolicyOutput{ARN: in.SecretId, Name: aws.String("name")}
		if *in.SecretId == databaseARN {
			o.ResourcePolicy = aws.String(secretPolicy)
		}
		return o, nil
	})
}

func resource(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		secretsmanager.Secret{
			Resource: resource(databaseARN, "rds!db-1"),
			Detail: fact.Known(secretsmanager.Detail{
				KMSKey: keyARN, OwningService: "rds", PrimaryRegion: "eu-west-1", Created: *on(1), Changed: on(2), Accessed: on(3),
				Rotation: secretsmanager.Rotation{Enabled: true, Days: 7, Last: on(4), Next: on(11)},
			}),
			Policy: fact.Known(secretPolicy),
		},
		secretsmanager.Secret{
			Resource: resource(plainARN, "api"),
			Detail:   fact.Known(secretsmanager.Detail{Created: *on(1)}),
			Policy:   fact.Known(""),
		},
	})
}
