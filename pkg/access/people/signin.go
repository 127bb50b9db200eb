package people

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// What comes next in a sign-in.
const (
	NextSecondFactor = "second_factor"
	NextEnrolment    = "enrolment"    // the organization requires a second factor, and there is none
	NextOrganization = "organization" // there are several
)

// Methods of a second factor.
const (
	MethodTOTP    = "totp"
	MethodBackup  = "backup_code"
	MethodPasskey = "passkey"
)

// Step is what a step of a sign-in leads to: another one, or a session.
type Step struct {
	Next          string        // empty when it is done
	Challenge     secret.String // for the next step, good for ten minutes in all
	Methods       []string      // of the second factor that is asked for
	Organizations []model.OrganizationID

	Entry   *Entry // when it is done
	Browser bool   // as From of the first step said
	// BackupCodes are shown once, to who set up an authenticator app.
	BackupCodes []secret.String
}

// Entry is a session that was begun, and what its client keeps.
type Entry struct {
	Session model.Session
	Refresh secret.String
	Device  secret.String // for the device cookie; empty if the device keeps what it has
}

// SignIn is the first step: an e-mail address, a password, and the organization, if
// somebody named one. What comes of it tells nothing of who is not proven to be somebody:
// address and password are wrong together, and organizations are named by who has proven
// everything.
//
// A step is tried against Guard's limits before anything is compared.
func (s Service) SignIn(ctx context.Context, email string, password secret.String, org model.OrganizationID, from From) (Step, error) {
	who, err := s.authenticate(ctx, email, password, from)
	if err != nil {
		return Step{}, err
	}
	return s.proven(ctx, who, ticket{Person: who.ID, Epoch: who.Epoch, Until: s.Now().Add(ChallengeAge).UTC(), Device: deviceDigest(from.Device), Browser: from.Browser, Organization: org}, from)
}

// nobodyID is read in the place of a person whom nobody is, so that it takes as long.
const nobodyID = model.PersonID("00000000000000000000000000")

// authenticate is who has an e-mail address and a password.
func (s Service) authenticate(ctx context.Context, email string, password secret.String, from From) (model.Person, error) {
	who, err := s.Store.People().ByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		who = model.Person{}
		if _, err = s.Store.People().Person(ctx, nobodyID); errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		return who, err
	}
	device := KnownDevice(who.Credentials.Devices, from.Device, s.Now())
	name := cmp.Or(model.NormalEmail(email), "-") // no address is counted as one
	try, err := Guard{s.Limits}.Password(ctx, Who{Person: name, Address: from.Address, Device: device})
	if err != nil {
		return who, err
	}
	match, stale, err := s.Passwords.Verify(ctx, who.Credentials.Password, password)
	if err != nil {
		return who, err
	}
	if !match {
		return model.Person{}, refuse(CodeSignInRefused, nil)
	}
	if err := s.Limits.GiveBack(ctx, try); err != nil {
		return model.Person{}, err
	}
	if stale {
		return s.rehash(ctx, who, password)
	}
	return who, nil
}

// rehash keeps a password by a hash that is as much work as new ones are. Whoever changed
// the person meanwhile has the say; it is tried again at the next sign-in.
func (s Service) rehash(ctx context.Context, who model.Person, password secret.String) (model.Person, error) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return who, err
	}
	changed := who
	changed.Credentials.Password = hash
	if err := s.Store.People().Put(ctx, &changed); err == nil {
		return changed, nil
	} else if !errors.Is(err, store.ErrConflict) {
		return who, err
	}
	return who, nil
}

// proven goes on with somebody whose password is proven.
func (s Service) proven(ctx context.Context, who model.Person, t ticket, from From) (Step, error) {
	if t.Second || !who.SecondFactor() {
		t.Second = true
		return s.arrive(ctx, who, t, from)
	}
	challenge, err := s.write(ctx, ticketSignIn, t)
	return Step{Next: NextSecondFactor, Challenge: challenge, Methods: s.methods(who)}, err
}

func (s Service) methods(who model.Person) (methods []string) {
	if len(who.Credentials.Passkeys) > 0 && s.Relying.ID != "" {
		methods = append(methods, MethodPasskey)
	}
	if who.TOTP {
		methods = append(methods, MethodTOTP)
	}
	if len(who.Credentials.BackupCodes) > 0 {
		methods = append(methods, MethodBackup)
	}
	return methods
}

// challenged is the person that a challenge is of, as long as its epoch lasts.
func (s Service) challenged(ctx context.Context, challenge secret.String, from From) (ticket, model.Person, error) {
	t, err := s.read(ctx, ticketSignIn, challenge, from.Device)
	if err != nil {
		return t, model.Person{}, err
	}
	who, err := s.Store.People().Person(ctx, t.Person)
	if err == nil {
		err = t.still(who)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = refuse(CodeChallengeOver, err)
	}
	return t, who, err
}

// still refuses a ticket that was made in an earlier epoch of the person's.
func (t ticket) still(who model.Person) error {
	if who.Epoch != t.Epoch {
		return refuse(CodeChallengeOver, errors.New("all that the person had begun was ended"))
	}
	return nil
}

// tryCode counts a try of a second factor, which is given back if it was right.
func (s Service) tryCode(ctx context.Context, who model.Person, from From) (Allowance, error) {
	return Guard{s.Limits}.Code(ctx, Who{
		Person: string(who.ID), Address: from.Address, Device: KnownDevice(who.Credentials.Devices, from.Device, s.Now()),
	})
}

// TOTP is the second step, by the code of an authenticator app; or the confirmation of one
// that was set up in this sign-in.
func (s Service) TOTP(ctx context.Context, challenge, code secret.String, from From) (Step, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	var try Allowance
	if err == nil {
		try, err = s.tryCode(ctx, who, from)
	}
	if err != nil {
		return Step{}, err
	}
	if t.Enrol {
		return s.enrolled(ctx, t, who, code, try, from)
	}
	if t.Second {
		return Step{}, refuse(CodeChallengeOver, errors.New("it is for the organization"))
	}
	who, err = s.change(ctx, t.Person, func(who *model.Person) error {
		if err := t.still(*who); err != nil {
			return err
		}
		return s.checkTOTP(ctx, who, code)
	})
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	if err != nil {
		return Step{}, err
	}
	t.Second = true
	return s.arrive(ctx, who, t, from)
}

// checkTOTP takes a code of a person's app, and notes its step.
func (s Service) checkTOTP(ctx context.Context, who *model.Person, code secret.String) error {
	if !who.TOTP {
		return refuse(CodeWrongCode, nil)
	}
	key, err := s.open(ctx, personRecord(who.ID), totpField, who.Credentials.TOTP)
	if err != nil {
		return err
	}
	step, err := CheckTOTP(key, code, who.Credentials.TOTPStep, s.Now())
	who.Credentials.TOTPStep = max(step, who.Credentials.TOTPStep)
	return wrongCode(err)
}

// wrongCode is the refusal of a code that was checked.
func wrongCode(err error) error {
	switch {
	case errors.Is(err, ErrCodeUsed):
		return refuse(CodeUsedCode, err)
	case errors.Is(err, ErrCode):
		return refuse(CodeWrongCode, err)
	}
	return err
}

// BackupCode is the second step, by a backup code.
func (s Service) BackupCode(ctx context.Context, challenge, code secret.String, from From) (Step, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	if err == nil && t.Second {
		err = refuse(CodeChallengeOver, errors.New("it is for another step"))
	}
	var try Allowance
	if err == nil {
		try, err = s.tryCode(ctx, who, from)
	}
	if err != nil {
		return Step{}, err
	}
	who, err = s.change(ctx, t.Person, func(who *model.Person) error {
		if err := t.still(*who); err != nil {
			return err
		}
		left, err := UseBackupCode(who.Credentials.BackupCodes, code)
		who.Credentials.BackupCodes = left
		return wrongCode(err)
	})
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	if err != nil {
		return Step{}, err
	}
	t.Second = true
	return s.arrive(ctx, who, t, from)
}

// Choose is the step of who belongs to several organizations. A challenge is good for one
// choice.
func (s Service) Choose(ctx context.Context, challenge secret.String, org model.OrganizationID, from From) (Step, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	if err == nil && (!t.Second || t.Enrol || t.Organization != "") {
		err = refuse(CodeChallengeOver, errors.New("it is for another step"))
	}
	if err == nil && org == "" {
		err = refuse(CodeNotMember, nil)
	}
	if err == nil {
		err = s.use(ctx, t)
	}
	if err != nil {
		return Step{}, err
	}
	t.Organization = org
	return s.arrive(ctx, who, t, from)
}

// arrive goes on with somebody who has proven everything that there is.
func (s Service) arrive(ctx context.Context, who model.Person, t ticket, from From) (Step, error) {
	if t.Invitation != "" {
		if err := s.join(ctx, who, t, from); err != nil {
			return Step{}, err
		}
		t.Invitation = ""
	}
	open, suspended, err := s.openTo(ctx, who.ID)
	if err != nil {
		return Step{}, err
	}
	switch {
	case t.Organization == "" && len(open) == 1:
		t.Organization = open[0]
	case t.Organization == "" && len(open) > 1:
		challenge, err := s.write(ctx, ticketSignIn, t)
		return Step{Next: NextOrganization, Challenge: challenge, Organizations: open}, err
	}
	if !slices.Contains(open, t.Organization) {
		if slices.Contains(suspended, t.Organization) || t.Organization == "" && len(suspended) > 0 {
			return Step{}, refuse(CodeMemberSuspended, nil)
		}
		return Step{}, refuse(CodeNotMember, nil)
	}
	if !who.SecondFactor() {
		settings, err := s.Store.For(t.Organization).Settings(ctx)
		if err != nil {
			return Step{}, err
		}
		if settings.SecondFactorRequired {
			t.Enrol = true
			challenge, err := s.write(ctx, ticketSignIn, t)
			return Step{Next: NextEnrolment, Challenge: challenge}, err
		}
	}
	entry, err := s.enter(ctx, t, from)
	return Step{Entry: entry, Browser: t.Browser}, err
}

// openTo are the organizations that a person can sign in to, and those where its membership
// is suspended.
func (s Service) openTo(ctx context.Context, who model.PersonID) (open, suspended []model.OrganizationID, err error) {
	all, err := s.Store.People().Organizations(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	for _, org := range all {
		_, err := s.member(ctx, org, who)
		switch codeOf(err) {
		case CodeMemberSuspended:
			suspended = append(suspended, org)
			continue
		case CodeNotMember:
			continue
		}
		var itself model.Organization
		if err == nil {
			itself, err = s.Store.For(org).Itself(ctx)
		}
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if itself.Open() {
			open = append(open, org)
		}
	}
	return open, suspended, nil
}

// enter begins a session, and makes the device known before: who dies between has proven
// everything, and signs in again.
func (s Service) enter(ctx context.Context, t ticket, from From) (*Entry, error) {
	cookie, device, err := NewDevice(s.Now())
	if err != nil {
		return nil, err
	}
	who, err := s.change(ctx, t.Person, func(who *model.Person) error {
		if err := t.still(*who); err != nil {
			return err
		}
		who.Credentials.Devices = AddDevice(who.Credentials.Devices, device, from.Device)
		return nil
	})
	if err != nil {
		return nil, err
	}
	entry, err := s.begin(ctx, who, model.Session{Organization: t.Organization, ProvenAt: t.Since}, from, s.entering(from))
	if err != nil {
		return nil, err
	}
	entry.Device = cookie
	return entry, nil
}

// beginning is Sessions.Begin, or what says before that it comes.
type beginning func(context.Context, model.Person, model.Session) (model.Session, error)

// entering begins sessions of who comes in.
func (s Service) entering(from From) beginning {
	return func(ctx context.Context, who model.Person, session model.Session) (model.Session, error) {
		return s.Enter(ctx, from.Action, who, session)
	}
}

// begin begins a session with its first refresh token. Given is the organization, and what
// it has of the session that it goes on from: when that was proven and has to end, and whether
// by single sign-on.
func (s Service) begin(ctx context.Context, who model.Person, given model.Session, from From, begin beginning) (*Entry, error) {
	id := ulid.Make().String()
	refresh, hash, err := NewToken(RefreshToken, id)
	if err != nil {
		return nil, err
	}
	session, err := begin(ctx, who, model.Session{
		ID: model.SessionID(id), Organization: given.Organization, SSO: given.SSO, ProvenAt: given.ProvenAt, EndsAt: given.EndsAt, Address: from.Address, Client: from.Client, Hash: hash,
	})
	if err != nil {
		return nil, err
	}
	return &Entry{Session: session, Refresh: refresh}, nil
}
