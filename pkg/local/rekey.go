package local

import (
	"context"
	"errors"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Rekeyed is what came of Rekey.
type Rekeyed struct {
	DataKeys int `json:"data_keys"` // wrapped by the new master key
	Dropped  int `json:"dropped"`   // master keys that wrap nothing any more
}

// Rekey makes a new master key in the state's keyring, wraps all data keys by it, and
// drops the master keys that none needs any more. Other processes may work with the
// state meanwhile. What a process leaves undone that dies, the next one does. A data key
// that does not open stays as it is; the error tells of it when all else is done.
func (s *State) Rekey(ctx context.Context, passphrase Passphrase) (Rekeyed, error) {
	if _, exists, err := keyring.Protected(s.keyringPath()); err != nil || !exists {
		if err == nil {
			err = &InputError{"nothing is sealed yet, and there is no keyring; connections add makes one"}
		}
		return Rekeyed{}, err
	}
	keys, err := s.keyring(passphrase)
	if err != nil {
		return Rekeyed{}, err
	}
	if err := keys.AddKey(); err != nil {
		return Rekeyed{}, err
	}
	r := connect.Rekeying{Store: s.Store, Keys: keys}
	var done Rekeyed
	var damaged error
	if done.DataKeys, damaged = r.All(ctx, Organization, store.InstallationOwner); damaged != nil && !errors.Is(damaged, secret.ErrSealed) {
		return done, damaged
	}
	done.Dropped, err = keys.DropKeys(r.Wrapped(ctx, Organization, store.InstallationOwner))
	return done, errors.Join(damaged, err)
}
