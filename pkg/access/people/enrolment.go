package people

import (
	"context"
	"errors"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Enrol is the step of who has no second factor, where the organization requires one: an
// authenticator app is set up, and its first code is the next step (TOTP). The challenge
// stays good, so that it can be begun anew.
func (s Service) Enrol(ctx context.Context, challenge secret.String, from From) (Enrolment, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	if err == nil && !t.Enrol {
		err = refuse(CodeChallengeOver, errors.New("it is for another step"))
	}
	if err != nil {
		return Enrolment{}, err
	}
	return s.setUp(ctx, who.ID, func(who model.Person) error {
		if who.SecondFactor() {
			return refuse(CodeChallengeOver, errors.New("there is a second factor meanwhile"))
		}
		return t.still(who)
	})
}

// setUp gives a person the secret of a new app, which counts when it is confirmed.
func (s Service) setUp(ctx context.Context, id model.PersonID, may func(model.Person) error) (Enrolment, error) {
	who, err := s.Store.People().Person(ctx, id)
	if err != nil {
		return Enrolment{}, err
	}
	e, err := EnrolTOTP(issuerName, who.Email)
	if err != nil {
		return Enrolment{}, err
	}
	sealed, err := s.seal(ctx, personRecord(id), totpField, e.Secret)
	if err != nil {
		return Enrolment{}, err
	}
	_, err = s.change(ctx, id, func(who *model.Person) error {
		who.Credentials.NewTOTP = sealed
		return may(*who)
	})
	if err != nil {
		return Enrolment{}, err
	}
	return e, nil
}

// confirm makes the new app of a person count, which a first code of it does, and gives it
// backup codes.
func (s Service) confirm(ctx context.Context, who *model.Person, code secret.String) (codes []secret.String, err error) {
	c := &who.Credentials
	if len(c.NewTOTP) == 0 {
		return nil, refuse(CodeNothingToConfirm, nil)
	}
	key, err := s.open(ctx, personRecord(who.ID), totpField, c.NewTOTP)
	if err != nil {
		return nil, err
	}
	step, err := CheckTOTP(key, code, 0, s.Now())
	if err != nil {
		return nil, wrongCode(err)
	}
	who.TOTP, c.TOTP, c.NewTOTP, c.TOTPStep = true, c.NewTOTP, nil, step
	codes, c.BackupCodes = NewBackupCodes()
	return codes, nil
}

// enrolled goes on with somebody who set up an app while signing in.
func (s Service) enrolled(ctx context.Context, t ticket, who model.Person, code secret.String, try Allowance, from From) (Step, error) {
	if who.SecondFactor() {
		return Step{}, refuse(CodeChallengeOver, errors.New("there is a second factor meanwhile"))
	}
	tried := who
	if _, err := s.confirm(ctx, &tried, code); err != nil {
		return Step{}, err
	}
	if err := s.note(ctx, t.Organization, s.by(who, from), who.ID, "authenticator app set up"); err != nil {
		return Step{}, err
	}
	var codes []secret.String
	who, err := s.change(ctx, t.Person, func(who *model.Person) (err error) {
		if who.SecondFactor() {
			return refuse(CodeChallengeOver, errors.New("there is a second factor meanwhile"))
		}
		if err := t.still(*who); err != nil {
			return err
		}
		codes, err = s.confirm(ctx, who, code)
		return err
	})
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	if err != nil {
		return Step{}, err
	}
	t.Enrol = false
	step, err := s.arrive(ctx, who, t, from)
	step.BackupCodes = codes
	return step, err
}
