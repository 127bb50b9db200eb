package people

import (
	"context"
	"errors"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// What somebody changes who is signed in. What takes a proof away or replaces it (another
// password, another or no authenticator app, a passkey less) ends all sessions of the
// person, since one of them may be why; the one that asked is renewed, with a new session
// for the same device. What adds one ends nothing.

// reauthenticate is the person of a session, who knows the password.
func (s Service) reauthenticate(ctx context.Context, caller Caller, password secret.String, from From) (model.Person, error) {
	if err := itself(caller); err != nil {
		return model.Person{}, err
	}
	try, err := s.Limits.Take(ctx, Reauthentications, Who{
		Organization: caller.Organization, Person: string(caller.Person), Address: from.Address, Session: string(caller.Session),
	})
	if err != nil {
		return model.Person{}, err
	}
	who, err := s.Store.People().Person(ctx, caller.Person)
	if err != nil {
		return who, ended(err)
	}
	match, _, err := s.Passwords.Verify(ctx, who.Credentials.Password, password)
	if err == nil && !match {
		err = refuse(CodeWrongPassword, nil)
	}
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	return who, err
}

// itself refuses who is no person, or was let in by one organization alone.
func itself(caller Caller) error {
	switch {
	case caller.Session == "":
		return refuse(CodeNotByToken, nil)
	case caller.SSO:
		return refuse(CodeNotBySSO, nil)
	}
	return nil
}

// sameEpoch refuses to change a person whose epoch moved on since the password was asked for.
func sameEpoch(was model.Person, change func(*model.Person) error) func(*model.Person) error {
	return func(who *model.Person) error {
		if who.Epoch != was.Epoch {
			return refuse(CodeSessionEnded, nil)
		}
		return change(who)
	}
}

// replace notes an event, changes a person, ends all its sessions, and renews the caller's.
// The change is tried before it is noted.
func (s Service) replace(ctx context.Context, caller Caller, was model.Person, event string, from From, change func(*model.Person) error) (*Entry, error) {
	change = sameEpoch(was, change)
	tried := was
	if err := change(&tried); err != nil {
		return nil, err
	}
	if err := s.note(ctx, caller.Organization, s.by(was, from), was.ID, event); err != nil {
		return nil, err
	}
	who, err := s.changeAndEnd(ctx, was.ID, change)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, who, model.Session{Organization: caller.Organization}, from, s.Begin)
}

// add notes an event and changes a person, whose sessions go on.
func (s Service) add(ctx context.Context, caller Caller, was model.Person, event string, from From, change func(*model.Person) error) error {
	change = sameEpoch(was, change)
	tried := was
	if err := change(&tried); err != nil {
		return err
	}
	if err := s.note(ctx, caller.Organization, s.by(was, from), was.ID, event); err != nil {
		return err
	}
	_, err := s.change(ctx, was.ID, change)
	return err
}

// ChangePassword gives somebody another password. All sessions end; the caller's is
// renewed.
func (s Service) ChangePassword(ctx context.Context, caller Caller, current, next secret.String, from From) (*Entry, error) {
	who, err := s.reauthenticate(ctx, caller, current, from)
	if err == nil {
		err = CheckPassword(next, who.Email)
	}
	if err != nil {
		return nil, err
	}
	hash, err := s.Passwords.Hash(ctx, next)
	if err != nil {
		return nil, err
	}
	return s.replace(ctx, caller, who, "password changed", from, func(who *model.Person) error {
		who.Credentials.Password = hash
		return nil
	})
}

// ChangeEmail gives somebody another e-mail address to sign in by, or is ErrEmailTaken.
func (s Service) ChangeEmail(ctx context.Context, caller Caller, password secret.String, address string, from From) error {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return err
	}
	tried := who
	tried.Email = address
	if err := tried.Check(); err != nil {
		return err
	}
	if other, err := s.Store.People().ByEmail(ctx, address); err == nil && other.ID != who.ID {
		return store.ErrEmailTaken
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.note(ctx, caller.Organization, s.by(who, from), who.ID, "e-mail address changed to "+address); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := s.Store.People().ChangeEmail(ctx, &who, address, s.Now())
		if !errors.Is(err, store.ErrConflict) || try == changeTries {
			return err
		}
		epoch := who.Epoch
		if who, err = s.Store.People().Person(ctx, who.ID); err != nil {
			return err
		}
		if who.Epoch != epoch {
			return refuse(CodeSessionEnded, nil)
		}
	}
}

// ChangeName gives somebody another name, which is shown and proves nothing.
func (s Service) ChangeName(ctx context.Context, by model.Change, caller Caller, name string) (model.Person, error) {
	if err := itself(caller); err != nil {
		return model.Person{}, err
	}
	who, err := s.Store.People().Person(ctx, caller.Person)
	if err != nil || who.Name == name {
		return who, err
	}
	who.Name = name
	if err := who.Check(); err != nil { // before anybody says that it was done
		return who, err
	}
	if err := s.note(ctx, caller.Organization, by, caller.Person, "name changed to "+name); err != nil {
		return model.Person{}, err
	}
	return s.change(ctx, caller.Person, func(who *model.Person) error {
		who.Name = name
		return nil
	})
}

// EnrolTOTP sets up an authenticator app. The one before counts until ConfirmTOTP.
func (s Service) EnrolTOTP(ctx context.Context, caller Caller, password secret.String, from From) (Enrolment, error) {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return Enrolment{}, err
	}
	return s.setUp(ctx, who.ID, func(now model.Person) error {
		return sameEpoch(who, func(*model.Person) error { return nil })(&now)
	})
}

// ConfirmTOTP makes the new app count. In the place of another one it ends all sessions,
// and renews the caller's; otherwise there is no entry.
func (s Service) ConfirmTOTP(ctx context.Context, caller Caller, code secret.String, from From) (codes []secret.String, entry *Entry, err error) {
	if err := itself(caller); err != nil {
		return nil, nil, err
	}
	who, err := s.Store.People().Person(ctx, caller.Person)
	var try Allowance
	if err == nil {
		try, err = s.tryCode(ctx, who, from)
	}
	if err != nil {
		return nil, nil, err
	}
	replaces := who.TOTP
	change := func(who *model.Person) (err error) {
		if who.TOTP != replaces {
			return refuse(CodeNothingToConfirm, errors.New("somebody else was first"))
		}
		codes, err = s.confirm(ctx, who, code)
		return err
	}
	if replaces {
		entry, err = s.replace(ctx, caller, who, "authenticator app replaced", from, change)
	} else {
		err = s.add(ctx, caller, who, "authenticator app set up", from, change)
	}
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	if err != nil {
		return nil, nil, err
	}
	return codes, entry, nil
}

// RemoveTOTP takes the authenticator app of somebody away, unless it is the last second
// factor where an organization requires one.
func (s Service) RemoveTOTP(ctx context.Context, caller Caller, password secret.String, from From) (*Entry, error) {
	return s.less(ctx, caller, password, "authenticator app removed", from, func(who *model.Person) error {
		if !who.TOTP {
			return store.ErrNotFound
		}
		who.TOTP, who.Credentials.TOTP, who.Credentials.TOTPStep, who.Credentials.NewTOTP = false, nil, 0, nil
		return nil
	})
}

// RemovePasskey takes a passkey of somebody away, as RemoveTOTP does the app.
func (s Service) RemovePasskey(ctx context.Context, caller Caller, password secret.String, id string, from From) (*Entry, error) {
	return s.less(ctx, caller, password, "passkey removed", from, func(who *model.Person) error {
		is := func(k model.Passkey) bool { return k.ID == id }
		if !slices.ContainsFunc(who.Credentials.Passkeys, is) {
			return store.ErrNotFound
		}
		who.Credentials.Passkeys = slices.DeleteFunc(slices.Clone(who.Credentials.Passkeys), is)
		return nil
	})
}

// less takes a second factor away; with the last one go the backup codes.
func (s Service) less(ctx context.Context, caller Caller, password secret.String, event string, from From, take func(*model.Person) error) (*Entry, error) {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return nil, err
	}
	return s.replace(ctx, caller, who, event, from, func(who *model.Person) error {
		if err := take(who); err != nil || who.SecondFactor() {
			return err
		}
		who.Credentials.BackupCodes = nil
		return s.mayLackFactor(ctx, who.ID)
	})
}

// mayLackFactor refuses that somebody has no second factor, if an organization of the
// person's requires one: also one that is not signed in to.
func (s Service) mayLackFactor(ctx context.Context, who model.PersonID) error {
	orgs, err := s.Store.People().Organizations(ctx, who)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		settings, err := s.Store.For(org).Settings(ctx)
		if err != nil {
			return err
		}
		if settings.SecondFactorRequired {
			return refuse(CodeFactorRequired, nil)
		}
	}
	return nil
}

// RenewBackupCodes makes the backup codes anew; those before are good for nothing.
func (s Service) RenewBackupCodes(ctx context.Context, caller Caller, password secret.String, from From) (codes []secret.String, err error) {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return nil, err
	}
	err = s.add(ctx, caller, who, "backup codes made anew", from, func(who *model.Person) error {
		if !who.SecondFactor() {
			return refuse(CodeNoSecondFactor, nil)
		}
		codes, who.Credentials.BackupCodes = NewBackupCodes()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}
