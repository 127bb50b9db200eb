package local

import (
	"context"
	"path/filepath"
	"sync"

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
