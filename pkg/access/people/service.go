package people

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Service is what people do to get in and stay in, and what administrators do with them.
type Service struct {
	Sessions
	Passwords *Hasher
	Limits    Counters
	Keys      secret.Wrapper
	// Relying is where passkeys are for; without an ID there are none.
	Relying Relying
}

// From is where a request comes from.
type From struct {
	Address string        // as net/http has it, without the port
	Client  string        // what the browser or program says of itself
	Device  secret.String // the cookie of a device; empty if it has none
	Action  string        // the operation of the API, for the admin log
	Browser bool          // tokens go into cookies, and into no body
}

// by is what the admin log says of what a person does by itself.
func (s Service) by(who model.Person, from From) model.Change {
	return model.Change{
		Actor:   model.Actor{Kind: model.ActorPerson, ID: string(who.ID), Name: who.Email},
		Address: model.Cut(from.Address, model.MaxClient), Action: from.Action, At: s.Now(),
	}
}

// issuerName is what an authenticator app calls the account's issuer.
const issuerName = "CloudArq"

// changeTries is how often a person is read and changed while others change it.
const changeTries = 10

// change reads a person and writes it as change makes it, anew when somebody else was
// first. An error of change's is given as it is, and nothing is written.
func (s Service) change(ctx context.Context, id model.PersonID, change func(*model.Person) error) (model.Person, error) {
	return s.changeBy(ctx, id, change, s.Store.People().Put)
}

// changeAndEnd is change, which ends all sessions of the person with the same write.
func (s Service) changeAndEnd(ctx context.Context, id model.PersonID, change func(*model.Person) error) (model.Person, error) {
	return s.changeBy(ctx, id, change, s.EndAll)
}

func (s Service) changeBy(ctx context.Context, id model.PersonID, change func(*model.Person) error, put func(context.Context, *model.Person) error) (model.Person, error) {
	for try := 1; ; try++ {
		who, err := s.Store.People().Person(ctx, id)
		if err == nil {
			err = change(&who)
		}
		if err == nil {
			err = put(ctx, &who)
		}
		if !errors.Is(err, store.ErrConflict) || try == changeTries {
			return who, err
		}
	}
}

// peopleKeys is what the data key of people's secrets belongs to.
var peopleKeys = secret.Owner{Organization: string(store.InstallationOwner), Record: "people"}

// seal seals what is a person's, or of a ticket; open is its inverse.
func (s Service) seal(ctx context.Context, record, field string, plain secret.String) ([]byte, error) {
	key, err := datakey.Get(ctx, s.Store.DataKeysOf(store.InstallationOwner), s.Keys, peopleKeys)
	if err != nil {
		return nil, err
	}
	return key.Seal(binding(record, field), plain)
}

func (s Service) open(ctx context.Context, record, field string, sealed []byte) (secret.String, error) {
	key, err := datakey.Open(ctx, s.Store.DataKeysOf(store.InstallationOwner), s.Keys, peopleKeys)
	if errors.Is(err, store.ErrNotFound) { // nothing was ever sealed
		return secret.String{}, fmt.Errorf("open %s: %w", field, secret.ErrSealed)
	}
	if err != nil {
		return secret.String{}, err
	}
	return key.Open(binding(record, field), sealed)
}

func binding(record, field string) secret.Binding {
	return secret.Binding{Organization: string(store.InstallationOwner), Record: record, Field: field}
}

// totpField is what a sealed TOTP secret is of its person.
const totpField = "totp"

func personRecord(id model.PersonID) string { return "person/" + string(id) }
