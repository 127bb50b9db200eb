package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// me adds what people do with themselves. What asks for the password counts its tries.
func (a *API) me(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1/me" + path, Summary: summary, Tags: []string{"me"}}
	}
	ends := func(o huma.Operation) huma.Operation {
		o.DefaultStatus = http.StatusNoContent
		return o
	}
	register(api, signedIn, op("get-me", http.MethodGet, "", "Show oneself"), a.getMe)
	register(api, signedIn, op("update-me", http.MethodPatch, "", "Change one's name"), a.updateMe)
	register(api, signedIn, op("change-password", http.MethodPost, "/password", "Change the password; all sessions end, and this one is renewed"), a.changePassword)
	register(api, signedIn, op("change-email", http.MethodPost, "/email", "Change the e-mail address to sign in by to that of an invitation, whose link it uses up"), a.changeEmail)
	register(api, signedIn, op("enrol-totp", http.MethodPost, "/totp", "Set up an authenticator app, which counts when it is confirmed"), a.enrolTOTP)
	register(api, signedIn, op("confirm-totp", http.MethodPost, "/totp/confirmation", "Confirm an authenticator app with its first code; in the place of another one, all sessions end and this one is renewed"), a.confirmTOTP)
	register(api, signedIn, op("remove-totp", http.MethodPost, "/totp/removal", "Remove the authenticator app; all sessions end, and this one is renewed"), a.removeTOTP)
	register(api, signedIn, op("renew-backup-codes", http.MethodPost, "/backup-codes", "Make ten new backup codes in the place of those before"), a.renewBackupCodes)
	register(api, signedIn, op("list-passkeys", http.MethodGet, "/passkeys", "List one's passkeys"), a.listPasskeys)
	register(api, signedIn, op("passkey-options", http.MethodPost, "/passkeys/options", "Get what a browser makes a passkey from"), a.registerOptions)
	register(api, signedIn, op("register-passkey", http.MethodPost, "/passkeys", "Keep a passkey that a browser made"), a.registerPasskey)
	register(api, signedIn, op("remove-passkey", http.MethodPost, "/passkeys/{passkey}/removal", "Remove a passkey; all sessions end, and this one is renewed"), a.removePasskey)
	register(api, signedIn, op("list-my-sessions", http.MethodGet, "/sessions", "List one's sessions, in all organizations"), a.listMySessions)
	register(api, signedIn, ends(op("end-my-session", http.MethodDelete, "/sessions/{session}", "End one of one's sessions")), a.endMySession)
	register(api, signedIn, ends(op("end-my-other-sessions", http.MethodDelete, "/sessions", "End all of one's sessions but this one")), a.endMyOtherSessions)
}

type personAnswer struct{ Body model.Person }

func (a *API) getMe(ctx context.Context, _ *struct{}) (*personAnswer, error) {
	who, err := a.Store.People().Person(ctx, callerOf(ctx).Person)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &personAnswer{who}, nil
}

func (a *API) updateMe(ctx context.Context, in *struct {
	Body struct {
		Name string `json:"name" maxLength:"100" example:"Anna"`
	}
},
) (*personAnswer, error) {
	who, err := a.People.ChangeName(ctx, a.by(ctx), callerOf(ctx), in.Body.Name)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &personAnswer{who}, nil
}

// Password is asked of who is signed in, again.
type Password struct {
	Password string `json:"password" maxLength:"1024" format:"password" example:"four words of hers"`
}

// renewed shows the session that took the place of the one that asked; none if that goes on.
func (a *API) renewed(ctx context.Context, e *people.Entry, codes []secret.String, browser bool, err error) (*signInAnswer, error) {
	return a.step(ctx, people.Step{Entry: e, BackupCodes: codes, Browser: browser}, err)
}

// Again is what comes with what somebody does to oneself.
type Again struct {
	Device
	ByCookie
}

func (a *API) changePassword(ctx context.Context, in *struct {
	Again
	Body struct {
		Current string `json:"current" maxLength:"1024" format:"password" example:"four words of hers"`
		New     string `json:"new" maxLength:"1024" format:"password" doc:"12 to 128 characters that others do not guess" example:"four other words"`

		EndTokens bool `json:"end_tokens,omitempty" doc:"End one's API tokens in all organizations, too" example:"false"`
	}
},
) (*signInAnswer, error) {
	e, err := a.People.ChangePassword(ctx, callerOf(ctx), secret.New(in.Body.Current), secret.New(in.Body.New), in.Body.EndTokens, in.from(ctx))
	return a.renewed(ctx, e, nil, in.browser(), err)
}

func (a *API) changeEmail(ctx context.Context, in *struct {
	Device
	Body struct {
		Password
		LinkToken
	}
},
) (*personAnswer, error) {
	if err := a.People.ChangeEmail(ctx, callerOf(ctx), secret.New(in.Body.Password.Password), secret.New(in.Body.Token), in.from(ctx)); err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.getMe(ctx, nil)
}

func (a *API) enrolTOTP(ctx context.Context, in *struct {
	Device
	Body Password
},
) (*enrolmentAnswer, error) {
	e, err := a.People.EnrolTOTP(ctx, callerOf(ctx), secret.New(in.Body.Password), in.from(ctx))
	return a.enrol(ctx, e, err)
}

func (a *API) confirmTOTP(ctx context.Context, in *struct {
	Again
	Body struct {
		Code string `json:"code" maxLength:"16" example:"123456"`
	}
},
) (*signInAnswer, error) {
	codes, e, err := a.People.ConfirmTOTP(ctx, callerOf(ctx), secret.New(in.Body.Code), in.from(ctx))
	return a.renewed(ctx, e, codes, in.browser(), err)
}

func (a *API) removeTOTP(ctx context.Context, in *struct {
	Again
	Body Password
},
) (*signInAnswer, error) {
	e, err := a.People.RemoveTOTP(ctx, callerOf(ctx), secret.New(in.Body.Password), in.from(ctx))
	return a.renewed(ctx, e, nil, in.browser(), err)
}

func (a *API) renewBackupCodes(ctx context.Context, in *struct {
	Again
	Body Password
},
) (*signInAnswer, error) {
	codes, err := a.People.RenewBackupCodes(ctx, callerOf(ctx), secret.New(in.Body.Password), in.from(ctx))
	return a.renewed(ctx, nil, codes, in.browser(), err)
}

type passkeysAnswer struct {
	Body struct {
		Passkeys []model.Passkey `json:"passkeys"`
	}
}

func (a *API) listPasskeys(ctx context.Context, _ *struct{}) (*passkeysAnswer, error) {
	who, err := a.Store.People().Person(ctx, callerOf(ctx).Person)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &passkeysAnswer{}
	out.Body.Passkeys = append([]model.Passkey{}, who.Credentials.Passkeys...)
	return out, nil
}

func (a *API) registerOptions(ctx context.Context, in *struct {
	Device
	Body Password
},
) (*ceremonyAnswer, error) {
	if a.People.Relying.ID == "" {
		return nil, problem(ctx, http.StatusConflict, "passkeys_off", "this installation has no passkeys: nobody said at which domain it is")
	}
	c, err := a.People.RegisterPasskeyOptions(ctx, callerOf(ctx), secret.New(in.Body.Password), in.from(ctx))
	return a.ceremony(ctx, c, err)
}

type passkeyAnswer struct {
	Body struct {
		Passkey     model.Passkey `json:"passkey"`
		BackupCodes []string      `json:"backup_codes,omitempty" doc:"Shown once, with the first second factor"`
	}
}

func (a *API) registerPasskey(ctx context.Context, in *struct {
	Device
	Body struct {
		Challenge
		Name    string          `json:"name" minLength:"1" maxLength:"100" example:"Anna's laptop"`
		Passkey json.RawMessage `json:"passkey" doc:"What navigator.credentials.create() gave, as JSON"`
	}
},
) (*passkeyAnswer, error) {
	key, codes, err := a.People.RegisterPasskey(ctx, callerOf(ctx), secret.New(in.Body.Challenge.Challenge), in.Body.Name, in.Body.Passkey, in.from(ctx))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &passkeyAnswer{}
	out.Body.Passkey, out.Body.BackupCodes = key, reveal(codes)
	return out, nil
}

func (a *API) removePasskey(ctx context.Context, in *struct {
	Again
	Passkey string `path:"passkey" maxLength:"26"`
	Body    Password
},
) (*signInAnswer, error) {
	e, err := a.People.RemovePasskey(ctx, callerOf(ctx), secret.New(in.Body.Password), in.Passkey, in.from(ctx))
	return a.renewed(ctx, e, nil, in.browser(), err)
}

type sessionsAnswer struct {
	Body struct {
		Sessions []model.Session `json:"sessions"`
	}
}

// sessionsOf lists the sessions of a person that are of an organization, or all.
func (a *API) sessionsOf(ctx context.Context, who model.PersonID, org model.OrganizationID) (*sessionsAnswer, error) {
	out := &sessionsAnswer{}
	out.Body.Sessions = []model.Session{}
	for s, err := range a.Sessions.List(ctx, who) {
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		if org == "" || s.Organization == org {
			out.Body.Sessions = append(out.Body.Sessions, s)
		}
	}
	return out, nil
}

// mine is the organization whose sessions a caller sees and ends: all of them, unless it was
// let in by one organization alone.
func mine(c people.Caller) model.OrganizationID {
	if c.SSO {
		return c.Organization
	}
	return ""
}

func (a *API) listMySessions(ctx context.Context, _ *struct{}) (*sessionsAnswer, error) {
	return a.sessionsOf(ctx, callerOf(ctx).Person, mine(callerOf(ctx)))
}

func (a *API) endMySession(ctx context.Context, in *struct {
	Session string `path:"session" maxLength:"26"`
},
) (*struct{}, error) {
	return nil, a.answer(ctx, a.Sessions.EndOne(ctx, a.by(ctx), callerOf(ctx), model.SessionID(in.Session)))
}

func (a *API) endMyOtherSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, a.answer(ctx, a.Sessions.EndOthers(ctx, a.by(ctx), callerOf(ctx)))
}
