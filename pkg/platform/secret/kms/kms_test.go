package kms_test

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/secrettest"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
	"github.com/google/go-cmp/cmp"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

func masterKey(t testing.TB, client *awskms.Client) string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &awskms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.KeyMetadata.Arn)
}

// A KMS key that rotates stays the same to its users, so the newest master key
// needs no new wrapper.
func TestConformance(t *testing.T) {
	secrettest.Run(t, func(t testing.TB) secrettest.Driver {
		client := awskms.NewFromConfig(emulated.Config(t))
		key := masterKey(t, client)
		var mu sync.Mutex
		return secrettest.Driver{
			Wrapper: kms.New(client, key),
			Other:   kms.New(client, masterKey(t, client)),
			Rekey: func() {
				mu.Lock()
				defer mu.Unlock()
				if _, err := client.RotateKeyOnDemand(t.Context(), &awskms.RotateKeyOnDemandInput{KeyId: aws.String(key)}); err != nil {
					t.Error(err)
				}
			},
			Reopen: func() secret.Wrapper { return kms.New(client, key) },
		}
	})
}

var owner = secret.Owner{Organization: "o", Record: "r"}

// Moving to another KMS key: the new one is named first, the old one still opens.
func TestMoveToAnotherKey(t *testing.T) {
	ctx, client := t.Context(), awskms.NewFromConfig(emulated.Config(t))
	old, anew := masterKey(t, client), masterKey(t, client)
	k, err := kms.New(client, old).Generate(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	moving := kms.New(client, anew, old)
	if _, err := moving.Unwrap(ctx, owner, k.Wrapped); err != nil {
		t.Fatal(err)
	}
	wrapped, err := moving.Rewrap(ctx, owner, k.Wrapped)
	if err != nil {
		t.Fatal(err)
	}
	moved := kms.New(client, anew)
	if _, err := moved.Unwrap(ctx, owner, wrapped); err != nil {
		t.Errorf("rewrapped: %v", err)
	}
	if _, err := moved.Unwrap(ctx, owner, k.Wrapped); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("not rewrapped: %v, want ErrSealed", err)
	}
}

// Moving to a key of another region, which ReEncrypt does not reach: the data key is the
// same, and opens for its owner alone.
func TestMoveToAnotherRegion(t *testing.T) {
	ctx, here, there := t.Context(), emulated.Config(t), emulated.Config(t)
	there.Region = "eu-central-1"
	from, to := awskms.NewFromConfig(here), awskms.NewFromConfig(there)
	old, anew := masterKey(t, from), masterKey(t, to)
	k, err := kms.New(from, old).Generate(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	binding := secret.Binding{Organization: "o", Record: "r", Field: "f"}
	sealed, err := k.Seal(binding, secret.New("Tr0ub4dor3correct"))
	if err != nil {
		t.Fatal(err)
	}
	m := kms.NewMover(from, old, to, anew)
	if err := m.Moved(ctx, owner, k.Wrapped); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("before it was moved: %v", err)
	}
	wrapped, moved, err := m.Move(ctx, owner, k.Wrapped)
	if err != nil || !moved {
		t.Fatal(moved, err)
	}
	if again, moved, err := m.Move(ctx, owner, wrapped); err != nil || moved || !bytes.Equal(again, wrapped) {
		t.Errorf("moved again: %t %v", moved, err)
	}
	if err := m.Moved(ctx, owner, wrapped); err != nil {
		t.Errorf("moved: %v", err)
	}
	opened, err := kms.New(to, anew).Unwrap(ctx, owner, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := opened.Open(binding, sealed); err != nil || plain.Reveal() != "Tr0ub4dor3correct" {
		t.Errorf("what it sealed does not open: %v", err)
	}
	if _, err := kms.New(to, anew).Unwrap(ctx, secret.Owner{Organization: "o", Record: "other"}, wrapped); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("for another owner: %v", err)
	}
	for name, blob := range map[string][]byte{"nothing": nil, "of neither key": []byte("nonsense")} {
		if _, _, err := m.Move(ctx, owner, blob); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the calls say: the pinned key, and whose the data key is.
func TestCalls(t *testing.T) {
	want := map[string]string{"organization": "o", "record": "r"}
	check := func(what, key string, context map[string]string) {
		if key != "new" {
			t.Errorf("%s names key %q", what, key)
		}
		if d := cmp.Diff(want, context); d != "" {
			t.Errorf("%s: context %s", what, d)
		}
	}
	f := fake.New()
	plain := func() []byte { return bytes.Repeat([]byte{1}, secret.KeySize) }
	fake.On(f, func(in *awskms.GenerateDataKeyInput) (*awskms.GenerateDataKeyOutput, error) {
		check("GenerateDataKey", aws.ToString(in.KeyId), in.EncryptionContext)
		return &awskms.GenerateDataKeyOutput{CiphertextBlob: []byte("wrapped"), Plaintext: plain()}, nil
	})
	fake.On(f, func(in *awskms.DecryptInput) (*awskms.DecryptOutput, error) {
		check("Decrypt", aws.ToString(in.KeyId), in.EncryptionContext)
		return &awskms.DecryptOutput{Plaintext: plain()}, nil
	})
	fake.On(f, func(in *awskms.ReEncryptInput) (*awskms.ReEncryptOutput, error) {
		check("ReEncrypt's source", aws.ToString(in.SourceKeyId), in.SourceEncryptionContext)
		check("ReEncrypt's destination", aws.ToString(in.DestinationKeyId), in.DestinationEncryptionContext)
		return &awskms.ReEncryptOutput{CiphertextBlob: []byte("anew")}, nil
	})
	w, ctx := kms.New(awskms.NewFromConfig(f.Config(t)), "new"), t.Context()
	k, err := w.Generate(ctx, owner)
	if err != nil || string(k.Wrapped) != "wrapped" {
		t.Fatalf("%q, %v", k.Wrapped, err)
	}
	if _, err := w.Unwrap(ctx, owner, k.Wrapped); err != nil {
		t.Error(err)
	}
	if anew, err := w.Rewrap(ctx, owner, k.Wrapped); err != nil || string(anew) != "anew" {
		t.Errorf("%q, %v", anew, err)
	}
}

// A refusal is not taken for a key that does not open: nobody should throw away
// what a mended policy would open.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		sealed bool
	}{
		"access denied":      {fake.Error("AccessDeniedException"), false},
		"disabled":           {&types.DisabledException{}, false},
		"pending deletion":   {&types.KMSInvalidStateException{}, false},
		"invalid ciphertext": {&types.InvalidCiphertextException{}, true},
		"incorrect key":      {&types.IncorrectKeyException{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake.New()
			fake.On(f, func(*awskms.DecryptInput) (*awskms.DecryptOutput, error) { return nil, c.err })
			_, err := kms.New(awskms.NewFromConfig(f.Config(t)), "new", "old").Unwrap(t.Context(), owner, []byte("x"))
			if err == nil || errors.Is(err, secret.ErrSealed) != c.sealed {
				t.Errorf("%v, want ErrSealed: %t", err, c.sealed)
			}
			// Moving asks the new key when it is not the old one's.
			old := fake.New()
			fake.On(old, func(*awskms.DecryptInput) (*awskms.DecryptOutput, error) { return nil, &types.IncorrectKeyException{} })
			m := kms.NewMover(awskms.NewFromConfig(old.Config(t)), "old", awskms.NewFromConfig(f.Config(t)), "new")
			if _, moved, err := m.Move(t.Context(), owner, []byte("x")); err == nil || moved || errors.Is(err, secret.ErrSealed) != c.sealed {
				t.Errorf("moving: %t, %v, want ErrSealed: %t", moved, err, c.sealed)
			}
		})
	}
}
