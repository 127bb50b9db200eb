package local

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/secret"
	"github.com/cloudarq/cloudarq/pkg/secret/keyring"
)

// Passphrase obtains the passphrase of the keyring, or none. protected says that
// the keyring has one, exists that there is a keyring: otherwise it is made with
// what is given here.
type Passphrase func(protected, exists bool) (secret.String, error)

// Keys is the keyring of the state, which wraps the data keys of connections. It
// is opened, or made, only when something has to be sealed or opened, so that
// nobody is asked for a passphrase in vain.
func (s *State) Keys(passphrase Passphrase) secret.Wrapper {
	path := filepath.Join(s.path, "keyring")
	return lazyKeys{sync.OnceValues(func() (secret.Wrapper, error) {
		protected, exists, err := keyring.Protected(path)
		if err != nil {
			return nil, err
		}
		word, err := passphrase(protected, exists)
		if err != nil {
			return nil, err
		}
		return keyring.Open(path, keyring.Options{Passphrase: word})
	})}
}

// lazyKeys is a wrapper that is opened when it is first used.
type lazyKeys struct {
	open func() (secret.Wrapper, error)
}

// Generate implements secret.Wrapper.
func (l lazyKeys) Generate(ctx context.Context, scope secret.Scope) (secret.DataKey, error) {
	w, err := l.open()
	if err != nil {
		return secret.DataKey{}, err
	}
	return w.Generate(ctx, scope)
}

// Unwrap implements secret.Wrapper.
func (l lazyKeys) Unwrap(ctx context.Context, scope secret.Scope, wrapped []byte) (secret.DataKey, error) {
	w, err := l.open()
	if err != nil {
		return secret.DataKey{}, err
	}
	return w.Unwrap(ctx, scope, wrapped)
}

// Rewrap implements secret.Wrapper.
func (l lazyKeys) Rewrap(ctx context.Context, scope secret.Scope, wrapped []byte) ([]byte, error) {
	w, err := l.open()
	if err != nil {
		return nil, err
	}
	return w.Rewrap(ctx, scope, wrapped)
}
