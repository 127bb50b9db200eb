package people_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func challengeOf(verifier string) string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// TestHandover: a program comes in by a code once, with the verifier alone, while the
// session that hands over goes on.
func TestHandover(t *testing.T) {
	t.Parallel()
	program := people.From{Address: "192.0.2.9", Client: "whatever it says", Action: "sign-in-handover"}
	for name, c := range map[string]struct {
		between  func(*testing.T, *door, people.Caller)
		verifier string
		want     string
	}{
		"as it should be":     {},
		"at the last moment":  {between: func(_ *testing.T, d *door, _ people.Caller) { d.watch.Pass(people.HandoverAge - time.Second) }},
		"too late":            {between: func(_ *testing.T, d *door, _ people.Caller) { d.watch.Pass(people.HandoverAge) }, want: people.CodeChallengeOver},
		"of another verifier": {verifier: strings.Repeat("x", 43), want: people.CodeChallengeOver},
		"by the challenge":    {verifier: challengeOf(verifier), want: people.CodeChallengeOver},
		"after signing out": {between: func(t *testing.T, d *door, c people.Caller) {
			if err := d.Service.End(t.Context(), c.Person, c.Session); err != nil {
				t.Fatal(err)
			}
		}, want: people.CodeSessionEnded},
		"after all sessions were ended": {between: func(t *testing.T, d *door, c people.Caller) {
			who := d.read(t, c.Person)
			if err := d.Service.EndAll(t.Context(), &who); err != nil {
				t.Fatal(err)
			}
		}, want: people.CodeSessionEnded},
		"of somebody suspended": {between: func(t *testing.T, d *door, c people.Caller) {
			m, err := d.Service.Store.For("acme").Member(t.Context(), c.Person)
			if err != nil {
				t.Fatal(err)
			}
			m.Suspended = true
			if err := d.Service.Store.For("acme").ChangeMember(t.Context(), d.change("suspend"), &m); err != nil {
				t.Fatal(err)
			}
		}, want: people.CodeMemberSuspended},
		"of somebody removed": {between: func(t *testing.T, d *door, c people.Caller) {
			m, err := d.Service.Store.For("acme").Member(t.Context(), c.Person)
			if err == nil {
				err = d.dir().Leave(t.Context(), "acme", d.change("remove"), m)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, want: people.CodeSessionEnded}, // which the removal ended
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			d.person(t, "bert@example.com", model.RoleAdmin, "acme")
			caller, browser := d.signedIn(t)
			code1, until, err := d.Handover(t.Context(), caller, challengeOf(verifier), home)
			if err != nil || !until.Equal(d.watch.Now().Add(people.HandoverAge)) {
				t.Fatalf("%v, %v", until, err)
			}
			if c.between != nil {
				c.between(t, d, caller)
			}
			said := verifier
			if c.verifier != "" {
				said = c.verifier
			}
			step, err := d.TakeOver(t.Context(), code1, secret.New(said), program)
			if code(err) != c.want || (step.Entry == nil) != (c.want != "") {
				t.Fatalf("%+v, %v; want %q", step, err, c.want)
			}
			if c.verifier != "" { // which used nothing up
				step, err = d.TakeOver(t.Context(), code1, secret.New(verifier), program)
			}
			if step.Entry == nil {
				if c.verifier != "" {
					t.Error(err)
				}
				return
			}
			got := step.Entry.Session
			if got.ID == browser.Session.ID || got.Organization != "acme" || got.Client != people.ClientCommand || got.Address != program.Address || got.SSO || step.Browser {
				t.Errorf("%+v", got)
			}
			if _, err := d.TakeOver(t.Context(), code1, secret.New(verifier), program); code(err) != people.CodeChallengeOver {
				t.Errorf("used twice: %v", err)
			}
			// Each of the two ends for itself.
			if err := d.Service.End(t.Context(), caller.Person, caller.Session); err != nil {
				t.Fatal(err)
			}
			if now := d.callerOf(t, step.Entry); now.Person != caller.Person {
				t.Errorf("%+v", now)
			}
		})
	}
}

// TestHandoverStaysSingleSignOn: what an organization let in is of it alone.
func TestHandoverStaysSingleSignOn(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	refresh := minted(t, people.RefreshToken)
	session, err := d.Service.Begin(t.Context(), d.read(t, d.anna.ID), model.Session{ID: model.SessionID(refresh.ID), Organization: "acme", SSO: true, Hash: refresh.Hash(), EndsAt: d.watch.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	caller := d.callerOf(t, &people.Entry{Session: session})
	code, _, err := d.Handover(t.Context(), caller, challengeOf(verifier), home)
	if err != nil {
		t.Fatal(err)
	}
	step, err := d.TakeOver(t.Context(), code, secret.New(verifier), home)
	if err != nil || !step.Entry.Session.SSO || !d.callerOf(t, step.Entry).SSO || !step.Entry.Session.Until().Equal(session.Until()) {
		t.Errorf("%+v, %v", step, err)
	}
}

// TestHandoversAreNothingElse: no other ticket is a code, a code is no other ticket, and
// neither programs nor odd challenges get one.
func TestHandoversAreNothingElse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	key, _ := d.withTOTP(t)
	first, err := d.enter(goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeOver(ctx, first.Challenge, secret.New(verifier), home); code(err) != people.CodeChallengeOver {
		t.Errorf("a challenge as a code: %v", err)
	}
	done, err := d.TOTP(ctx, first.Challenge, d.codeOf(t, key), home)
	if err != nil {
		t.Fatal(err)
	}
	caller := d.callerOf(t, done.Entry)
	handed, _, err := d.Handover(ctx, caller, challengeOf(verifier), home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.BackupCode(ctx, handed, secret.New("x"), home); code(err) != people.CodeChallengeOver {
		t.Errorf("a code as a challenge: %v", err)
	}
	var field *model.FieldError
	for _, odd := range []string{"", verifier[1:], verifier + "A", challengeOf(verifier) + "\n", strings.Repeat("=", 43), strings.Repeat("\x00", 43)} {
		if _, _, err := d.Handover(ctx, caller, odd, home); !errors.As(err, &field) {
			t.Errorf("challenge %q: %v", odd, err)
		}
	}
	program := caller
	program.Session, program.Token = "", "x"
	if _, _, err := d.Handover(ctx, program, challengeOf(verifier), home); code(err) != people.CodeNotByToken {
		t.Errorf("by a token: %v", err)
	}
	var over *people.LimitedError
	for range 1000 {
		if _, err = d.TakeOver(ctx, secret.New("caqc_x"), secret.New(verifier), home); errors.As(err, &over) {
			break
		}
	}
	if over == nil {
		t.Error("codes are guessed without end")
	}
}
