package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Mover wraps data keys by the key of another region. KMS re-encrypts within a region
// alone, so that a data key is in the clear in this process between two calls, and
// nowhere else. https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
type Mover struct {
	from, to *Wrapper
}

// NewMover moves from one KMS key to another, each named by its ARN, with a client of
// its region.
func NewMover(from *kms.Client, fromKey string, to *kms.Client, toKey string) *Mover {
	return &Mover{New(from, fromKey), New(to, toKey)}
}

// Move wraps a data key of the owner by the key that is moved to. It reports false, and
// gives what it was given, for one that is wrapped by that key already; and returns
// secret.ErrSealed for one that neither key opens.
func (m *Mover) Move(ctx context.Context, owner secret.Owner, wrapped []byte) (anew []byte, moved bool, err error) {
	anew, err = m.move(ctx, owner, wrapped)
	if err == nil {
		return anew, true, nil
	}
	if errors.Is(err, secret.ErrSealed) {
		switch e := m.Moved(ctx, owner, wrapped); {
		case e == nil:
			return wrapped, false, nil
		case !errors.Is(e, secret.ErrSealed): // whether the new key opens it is not known
			err = e
		}
	}
	return nil, false, fmt.Errorf("move a data key: %w", err)
}

// Moved opens a data key by the key that is moved to, and by no other, or returns
// secret.ErrSealed.
func (m *Mover) Moved(ctx context.Context, owner secret.Owner, wrapped []byte) error {
	_, err := m.to.Unwrap(ctx, owner, wrapped)
	return err
}

func (m *Mover) move(ctx context.Context, owner secret.Owner, wrapped []byte) (anew []byte, err error) {
	err = m.from.byAnyKey(owner, wrapped, func(key string) error {
		out, err := m.from.client.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(key), CiphertextBlob: wrapped, EncryptionContext: contextOf(owner)})
		if err != nil {
			return err
		}
		defer clear(out.Plaintext)
		if len(out.Plaintext) != secret.KeySize {
			return fmt.Errorf("%w: a data key of %d bytes", secret.ErrSealed, len(out.Plaintext))
		}
		wrapped, err := m.to.client.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(m.to.keys[0]), Plaintext: out.Plaintext, EncryptionContext: contextOf(owner)})
		if err != nil {
			return fmt.Errorf("wrap it by the new key: %w", err)
		}
		anew = wrapped.CiphertextBlob
		return nil
	})
	return anew, err
}
