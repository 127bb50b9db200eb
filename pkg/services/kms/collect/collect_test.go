package collect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
	"github.com/cloudarq/cloudarq/pkg/services/kms/collect"
)

const keyPolicy = `{"Version":"2012-10-17","Statement":[]}`

var deletion = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListKeysInput](f,
		&sdk.ListKeysOutput{Keys: []types.KeyListEntry{entry("mine")}, NextMarker: aws.String("2"), Truncated: true},
		&sdk.ListKeysOutput{Keys: []types.KeyListEntry{entry("aws"), entry("leaving")}})
	fake.On(f, func(in *sdk.DescribeKeyInput) (*sdk.DescribeKeyOutput, error) {
		m := types.KeyMetadata{
			KeyId: in.KeyId, KeyManager: types.KeyManagerTypeCustomer, KeyState: types.KeyStateEnabled,
			KeySpec: types.KeySpecSymmetricDefault, Origin: types.OriginTypeAwsKms,
		}
		switch aws.ToString(in.KeyId) {
		case "aws":
			m.KeyManager = types.KeyManagerTypeAws
		case "leaving":
			m.KeyState, m.DeletionDate, m.MultiRegion, m.KeySpec = types.KeyStatePendingDeletion, &deletion, aws.Bool(true), types.KeySpecRsa2048
		}
		return &sdk.DescribeKeyOutput{KeyMetadata: &m}, nil
	})
	fake.On(f, func(*sdk.GetKeyRotationStatusInput) (*sdk.GetKeyRotationStatusOutput, error) {
		return &sdk.GetKeyRotationStatusOutput{KeyRotationEnabled: true}, nil
	})
	fake.On(f, func(*sdk.GetKeyPolicyInput) (*sdk.GetKeyPolicyOutput, error) {
		return &sdk.GetKeyPolicyOutput{Policy: aws.String(keyPolicy)}, nil
	})
}

func entry(id string) types.KeyListEntry {
	return types.KeyListEntry{KeyId: aws.String(id), KeyArn: aws.String(arn(id))}
}

func arn(id string) string { return "arn:aws:kms:eu-west-1:111122223333:key/" + id }

func key(id string, detail kms.Detail) kms.Key {
	return kms.Key{
		Resource: model.Resource{Ref: model.Ref{ARN: arn(id), Account: collecttest.Account, Region: collecttest.Region, Name: id}},
		Detail:   fact.Known(detail),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	mine := key("mine", kms.Detail{Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Origin: "AWS_KMS"})
	mine.Rotation, mine.Policy = fact.Known(true), fact.Known(keyPolicy)
	managed := key("aws", kms.Detail{Manager: "AWS", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Origin: "AWS_KMS"})
	leaving := key("leaving", kms.Detail{
		Manager: "CUSTOMER", State: "PendingDeletion", Spec: "RSA_2048", Origin: "AWS_KMS",
		MultiRegion: true, Deletion: &deletion,
	})
	leaving.Policy = fact.Known(keyPolicy)

	collecttest.Run(t, collect.Spec(), full, []check.Resource{mine, managed, leaving})
}
