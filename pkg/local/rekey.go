package local

import (
	"context"
	"errors"
	"iter"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/model"
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
	for owner, err := range s.owners(ctx) {
		var n int
		if err == nil {
			n, err = r.All(ctx, owner)
			done.DataKeys += n
		}
		if err != nil && !errors.Is(err, secret.ErrSealed) {
			return done, err
		}
		damaged = errors.Join(damaged, err)
	}
	done.Dropped, err = keys.DropKeys(s.wrapped(ctx, r))
	return done, errors.Join(damaged, err)
}

// owners yields whose data keys a state has: the command's, the installation's, and those
// of the organizations that are served from it.
func (s *State) owners(ctx context.Context) iter.Seq2[model.OrganizationID, error] {
	return func(yield func(model.OrganizationID, error) bool) {
		for _, id := range []model.OrganizationID{Organization, store.InstallationOwner} {
			if !yield(id, nil) {
				return
			}
		}
		for id, err := range s.Store.Organizations(ctx) {
			if id != Organization && !yield(id, err) {
				return
			}
		}
	}
}

// wrapped yields all data keys of a state. Whose they are is read while the keyring is
// held: an organization may have been made since they were wrapped anew.
func (s *State) wrapped(ctx context.Context, r connect.Rekeying) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for owner, err := range s.owners(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			for key, err := range r.Wrapped(ctx, owner) {
				if !yield(key, err) {
					return
				}
			}
		}
	}
}
