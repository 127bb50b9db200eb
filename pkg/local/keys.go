package local

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
)

// Passphrase obtains the passphrase of the keyring, or none. protected says that
// the keyring has one, exists that there is a keyring: otherwise it is made with
// what is given here.
type Passphrase func(protected, exists bool) (secret.String, error)

// Keys is the keyring of the state, which wraps the data keys of connections. It
// is opened, or made, only when something has to be sealed or opened, so that
// nobody is asked for a passphrase in vain.
func (s *State) Keys(passphrase Passphrase) secret.Wrapper {
	return lazyKeys{sync.OnceValues(func() (*keyring.Keyring, error) { return s.keyring(passphrase) })}
}

// Signer signs audits by the key of this state, which is made the first time, sealed by
// the keyring. keys is what Keys gave.
func (s *State) Signer(keys secret.Wrapper) connect.Signing {
	return connect.Signing{Store: s.Store, Keys: keys, Now: time.Now}
}

// Keyring reports whether there is a keyring, and whether it has a passphrase.
func (s *State) Keyring() (protected, exists bool, err error) {
	return keyring.Protected(s.keyringPath())
}

// Verify holds what is kept of an audit to what the audit wrote. key has to have signed
// it; nil is the state's own, and lets an audit be unsigned.
func (s *State) Verify(ctx context.Context, audit model.Audit, key ed25519.PublicKey) (pipeline.Verification, error) {
	v := pipeline.Verifier{Store: s.Store, Blobs: s.Evidence, Now: time.Now, Key: key}
	return v.Verify(ctx, Organization, audit)
}

// keyring opens the keyring of the state, or makes it.
func (s *State) keyring(passphrase Passphrase) (*keyring.Keyring, error) {
	path := s.keyringPath()
	protected, exists, err := keyring.Protected(path)
	if err != nil {
		return nil, err
	}
	word, err := passphrase(protected, exists)
	if err != nil {
		return nil, err
	}
	return keyring.Open(path, keyring.Options{Passphrase: word})
}

func (s *State) keyringPath() string { return filepath.Join(s.path, "keyring") }

// lazyKeys is a keyring that is opened when it is first used.
type lazyKeys struct {
	open func() (*keyring.Keyring, error)
}

// Hold holds the keyring. See secret.Hold.
func (l lazyKeys) Hold(ctx context.Context) (release func(), err error) {
	k, err := l.open()
	if err != nil {
		return nil, err
	}
	return k.Hold(ctx)
}

// Generate implements secret.Wrapper.
func (l lazyKeys) Generate(ctx context.Context, owner secret.Owner) (secret.DataKey, error) {
	w, err := l.open()
	if err != nil {
		return secret.DataKey{}, err
	}
	return w.Generate(ctx, owner)
}

// Unwrap implements secret.Wrapper.
func (l lazyKeys) Unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) (secret.DataKey, error) {
	w, err := l.open()
	if err != nil {
		return secret.DataKey{}, err
	}
	return w.Unwrap(ctx, owner, wrapped)
}

// Rewrap implements secret.Wrapper.
func (l lazyKeys) Rewrap(ctx context.Context, owner secret.Owner, wrapped []byte) ([]byte, error) {
	w, err := l.open()
	if err != nil {
		return nil, err
	}
	return w.Rewrap(ctx, owner, wrapped)
}
