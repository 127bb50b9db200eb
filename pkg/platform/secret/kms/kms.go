// Package kms wraps data keys by a key of AWS KMS, where CloudArq is deployed.
// Whose a data key is goes with it as encryption context, so that KMS itself
// refuses to open one for somebody else, and CloudTrail shows who opened what.
package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Wrapper is a secret.Wrapper. Make one with New.
type Wrapper struct {
	client *kms.Client
	keys   []string // the newest first
}

var _ secret.Wrapper = (*Wrapper)(nil)

// The encryption context.
const (
	contextOrganization = "organization"
	contextRecord       = "record"
)

// maxBlob is the most that KMS decrypts.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
const maxBlob = 6144

// New makes the wrapper of a symmetric KMS key, named by its ARN or id: an alias
// may one day name another. Nothing opens that another key than this one, or one
// of the older ones, has wrapped; those are for moving to a new KMS key. A key
// that rotates by itself stays the same key.
func New(client *kms.Client, key string, older ...string) *Wrapper {
	return &Wrapper{client: client, keys: append([]string{key}, older...)}
}

// Generate implements secret.Wrapper.
func (w *Wrapper) Generate(ctx context.Context, owner secret.Owner) (secret.DataKey, error) {
	k, err := w.generate(ctx, owner)
	if err != nil {
		return secret.DataKey{}, fmt.Errorf("generate a data key: %w", err)
	}
	return k, nil
}

func (w *Wrapper) generate(ctx context.Context, owner secret.Owner) (secret.DataKey, error) {
	if err := owner.Check(); err != nil {
		return secret.DataKey{}, err
	}
	out, err := w.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:             aws.String(w.keys[0]),
		KeySpec:           types.DataKeySpecAes256,
		EncryptionContext: contextOf(owner),
	})
	if err != nil {
		return secret.DataKey{}, err
	}
	return secret.NewDataKey(out.CiphertextBlob, out.Plaintext)
}

// Unwrap implements secret.Wrapper.
func (w *Wrapper) Unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) (secret.DataKey, error) {
	var k secret.DataKey
	err := w.byAnyKey(owner, wrapped, func(key string) error {
		out, err := w.client.Decrypt(ctx, &kms.DecryptInput{
			KeyId:             aws.String(key), // without it any key would do that the caller may use
			CiphertextBlob:    wrapped,
			EncryptionContext: contextOf(owner),
		})
		if err != nil {
			return err
		}
		k, err = secret.NewDataKey(wrapped, out.Plaintext)
		return err
	})
	if err != nil {
		return secret.DataKey{}, fmt.Errorf("unwrap a data key: %w", err)
	}
	return k, nil
}

// Rewrap implements secret.Wrapper. The data key does not leave KMS.
func (w *Wrapper) Rewrap(ctx context.Context, owner secret.Owner, wrapped []byte) ([]byte, error) {
	var anew []byte
	err := w.byAnyKey(owner, wrapped, func(key string) error {
		out, err := w.client.ReEncrypt(ctx, &kms.ReEncryptInput{
			SourceKeyId:                  aws.String(key),
			SourceEncryptionContext:      contextOf(owner),
			CiphertextBlob:               wrapped,
			DestinationKeyId:             aws.String(w.keys[0]),
			DestinationEncryptionContext: contextOf(owner),
		})
		if err != nil {
			return err
		}
		anew = out.CiphertextBlob
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rewrap a data key: %w", err)
	}
	return anew, nil
}

// byAnyKey calls use with one key after the other until the wrapped key is not
// another's, and says what KMS's answers mean.
func (w *Wrapper) byAnyKey(owner secret.Owner, wrapped []byte, use func(key string) error) error {
	if err := owner.Check(); err != nil {
		return err
	}
	if len(wrapped) == 0 || len(wrapped) > maxBlob {
		return secret.ErrSealed // KMS would complain of the request
	}
	var err error
	for _, key := range w.keys {
		err = use(key)
		var others *types.IncorrectKeyException
		if !errors.As(err, &others) {
			break
		}
	}
	var altered *types.InvalidCiphertextException
	var others *types.IncorrectKeyException
	if errors.As(err, &altered) || errors.As(err, &others) {
		return fmt.Errorf("%w: %w", secret.ErrSealed, err)
	}
	return err
}

func contextOf(owner secret.Owner) map[string]string {
	return map[string]string{contextOrganization: owner.Organization, contextRecord: owner.Record}
}
