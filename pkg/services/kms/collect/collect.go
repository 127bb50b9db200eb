// Package collect reads KMS keys from AWS.
package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
)

// Spec is how KMS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "kms",
		Walks: []collect.Walk{{
			Kinds:      []string{kms.Key{}.Kind()},
			Operations: []string{"KMS.ListKeys", "KMS.DescribeKey", "KMS.GetKeyRotationStatus", "KMS.GetKeyPolicy"},
			Run:        keys,
		}},
	}
}

func keys(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	pages := sdk.NewListKeysPaginator(client, &sdk.ListKeysInput{Limit: aws.Int32(1000)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListKeysOutput) []types.KeyListEntry { return o.Keys },
		func(r *collect.Reading, entry types.KeyListEntry) *kms.Key {
			k := &kms.Key{Resource: s.Resource(collect.RequiredARN("KeyArn", entry.KeyArn), collect.RequiredText("KeyId", entry.KeyId))}
			k.Detail = collect.Get(r, client.DescribeKey, &sdk.DescribeKeyInput{KeyId: entry.KeyId}, detail)
			if d, gap := k.Detail.Get(); gap != nil || d.Customer() {
				collect.Into(r, &k.Policy, client.GetKeyPolicy, &sdk.GetKeyPolicyInput{KeyId: entry.KeyId, PolicyName: aws.String("default")},
					func(o *sdk.GetKeyPolicyOutput) string { return s.Policy(collect.RequiredText("Policy", o.Policy)) })
				if gap != nil || d.Rotates() {
					collect.Into(r, &k.Rotation, client.GetKeyRotationStatus, &sdk.GetKeyRotationStatusInput{KeyId: entry.KeyId},
						func(o *sdk.GetKeyRotationStatusOutput) bool {
							return collect.RequiredMember(o.ResultMetadata, o.KeyRotationEnabled, "KeyRotationEnabled")
						})
				}
			}
			return k
		})
}

func detail(o *sdk.DescribeKeyOutput) kms.Detail {
	m := o.KeyMetadata
	return kms.Detail{
		Manager: string(m.KeyManager),
		State:   string(collect.Known("KeyState", m.KeyState, m.KeyState.Values()...)),
		Spec:    string(m.KeySpec),
		Origin:  string(m.Origin),
		// The id tells, too.
		// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html, 29 November 2026.
		MultiRegion: aws.ToBool(m.MultiRegion) || strings.HasPrefix(collect.RequiredText("KeyId", m.KeyId), "mrk-"),
		Deletion:    m.DeletionDate,
	}
}
