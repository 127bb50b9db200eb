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
// renewed. So do the API tokens in all organizations if the person says so, who fears that
// somebody else made one.
func (s Service) ChangePassword(ctx context.Context, caller Caller, current, next secret.String, endTokens bool, from From) (*Entry, error) {
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
	if endTokens {
		if err := s.endAllTokens(ctx, s.by(who, from), who.ID); err != nil {
			return nil, err
		}
	}
	entry, err := s.replace(ctx, caller, who, "password changed", from, func(who *model.Person) error {
		who.Credentials.Password = hash
		return nil
	})
	if err == nil && endTokens { // those that a session made until it ended
		err = s.endAllTokens(ctx, s.by(who, from), who.ID)
	}
	return entry, err
}

// ChangeEmail gives somebody the e-mail address of an invitation to the organization that
// the session is of, by its link, which it uses up: nobody takes an address for which no
// administrator vouches, so that nobody keeps others from theirs, asks whose one is, or is
// found under it by single sign-on. Role and projects stay what they are. It is
// store.ErrEmailTaken if somebody else has the address.
//
// The member has the new address first, and counts as invited by it when the person has it as
// well: who dies before is invited again, and has the old one.
func (s Service) ChangeEmail(ctx context.Context, caller Caller, password, link secret.String, from From) error {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return err
	}
	org, i, err := s.Invitation(ctx, link, from)
	if err == nil && org != caller.Organization {
		err = refuse(CodeLinkOver, errors.New("it is of another organization"))
	}
	if err != nil {
		return err
	}
	other, err := s.Store.People().ByEmail(ctx, i.Email)
	switch {
	case err == nil && other.ID != who.ID:
		return store.ErrEmailTaken
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	by := s.by(who, from)
	if err := s.note(ctx, org, by, who.ID, "e-mail address changed to "+i.Email); err != nil {
		return err
	}
	if err := s.Store.For(org).RemoveInvitation(ctx, by, i); err != nil {
		return linkOver(err)
	}
	if err := s.vouch(ctx, by, org, who.ID, i.Email); err != nil {
		return err
	}
	return s.move(ctx, who, i.Email)
}

// move gives a person as it was read another e-mail address, unless all that it had begun
// was ended meanwhile.
func (s Service) move(ctx context.Context, who model.Person, address string) error {
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

// Readdress gives whoever has an e-mail address another one, as an operator does for
// somebody who was invited by it and finds that somebody else came first. Whoever had it
// signs in by the new one, and no organization vouches for that. It is store.ErrNotFound if
// nobody has the address, store.ErrEmailTaken if somebody has the new one.
func (s Service) Readdress(ctx context.Context, by model.Change, address, next string) error {
	who, err := s.Store.People().ByEmail(ctx, address)
	if err != nil {
		return err
	}
	tried := who
	tried.Email = next
	if err := tried.Check(); err != nil {
		return err
	}
	other, err := s.Store.People().ByEmail(ctx, next)
	switch {
	case err == nil && other.ID != who.ID:
		return store.ErrEmailTaken
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	orgs, err := s.Store.People().Organizations(ctx, who.ID)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := s.note(ctx, org, by, who.ID, "e-mail address changed to "+next); err != nil {
			return err
		}
	}
	return s.move(ctx, who, next)
}

// vouch notes by which address an organization invited a member.
func (s Service) vouch(ctx context.Context, by model.Change, org model.OrganizationID, id model.PersonID, address string) error {
	for try := 1; ; try++ {
		m, err := s.member(ctx, org, id)
		if err != nil {
			return err
		}
		m.InvitedAs = address
		err = s.Store.For(org).ChangeMember(ctx, by, &m)
		if !errors.Is(err, store.ErrConflict) || try == changeTries {
			return err
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
