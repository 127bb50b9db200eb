package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// signIn adds the steps of signing in. Each counts its own tries, since who it is about is
// known only on the way.
func (a *API) signIn(api huma.API) {
	step := func(id, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"sign-in"},
		}
	}
	register(api, anybody, step("sign-in", "/v1/sign-in", "Sign in with an e-mail address and a password; `next` says what else it takes"), a.begin)
	register(api, anybody, step("sign-in-second-factor", "/v1/sign-in/second-factor", "Show the second factor: one of a code, a backup code and a passkey"), a.secondFactor)
	register(api, anybody, step("sign-in-passkey-options", "/v1/sign-in/passkey-options", "Get what a browser asks a passkey for; the challenge in the answer takes the place of the one before"), a.passkeyOptions)
	register(api, anybody, step("sign-in-enrolment", "/v1/sign-in/enrolment", "Set up an authenticator app, which the organization requires; its first code is the second factor"), a.enrolment)
	register(api, anybody, step("sign-in-organization", "/v1/sign-in/organization", "Choose the organization to sign in to"), a.chooseOrganization)
	register(api, anybody, step("sign-in-handover", "/v1/sign-in/handover", "Sign a program in by the code that a browser's session handed over to it"), a.takeOver)
}

// Device is by what a browser is known that somebody signed in on before.
type Device struct {
	Device    string `cookie:"__Host-caqd" maxLength:"200" doc:"Set by an earlier sign-in"`
	UserAgent string `header:"User-Agent" hidden:"true"`
}

func (d Device) from(ctx context.Context) people.From {
	operation, _ := ctx.Value(operationKey{}).(string)
	return people.From{Address: addressOf(ctx), Client: d.UserAgent, Device: secret.New(d.Device), Action: operation}
}

// SignIn is what comes of a step.
type SignIn struct {
	Next          string                 `json:"next,omitempty" enum:"second_factor,enrolment,organization" doc:"What comes next; left out when it is done"`
	Challenge     string                 `json:"challenge,omitempty" doc:"For the next step; good for ten minutes in all"`
	Methods       []string               `json:"methods,omitempty" doc:"Of the second factor: totp, backup_code, passkey"`
	Organizations []model.OrganizationID `json:"organizations,omitempty" doc:"To choose from"`

	Session      *model.Session `json:"session,omitempty"`
	AccessToken  string         `json:"access_token,omitempty" doc:"Good for 15 minutes; in a cookie instead, if browser was said"`
	RefreshToken string         `json:"refresh_token,omitempty" doc:"Good for one use; in a cookie instead, if browser was said"`
	ExpiresAt    time.Time      `json:"expires_at,omitzero" required:"false" doc:"When the access token ends"`
	CSRFToken    string         `json:"csrf_token,omitempty" doc:"For the header CloudArq-CSRF of what cookies come with"`
	BackupCodes  []string       `json:"backup_codes,omitempty" doc:"Shown once, to who set up a second factor"`
}

type signInAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      SignIn
}

// step shows what comes of a step.
func (a *API) step(ctx context.Context, s people.Step, err error) (*signInAnswer, error) {
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &signInAnswer{Body: SignIn{
		Next: s.Next, Challenge: s.Challenge.Reveal(), Methods: s.Methods, Organizations: s.Organizations, BackupCodes: reveal(s.BackupCodes),
	}}
	if s.Entry == nil {
		return out, nil
	}
	return out, a.enter(ctx, out, s.Entry, s.Browser)
}

// enter tells a client the tokens of a session that was begun or renewed.
func (a *API) enter(ctx context.Context, out *signInAnswer, e *people.Entry, browser bool) error {
	access, expires, err := a.Sessions.Tokens.Issue(ctx, e.Session)
	if err != nil {
		return a.answer(ctx, err)
	}
	out.Body.Session, out.Body.ExpiresAt = &e.Session, expires.UTC()
	if !browser {
		out.Body.AccessToken, out.Body.RefreshToken = access.Reveal(), e.Refresh.Reveal()
		return nil
	}
	out.Body.CSRFToken = people.CSRFToken(access)
	out.SetCookie = sessionCookies(access, e.Refresh, e.Session, a.Now())
	if !e.Device.Empty() {
		out.SetCookie = append(out.SetCookie, knownDevice(e.Device))
	}
	return nil
}

func reveal(secrets []secret.String) (texts []string) {
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	return texts
}

func (a *API) begin(ctx context.Context, in *struct {
	Device
	Body struct {
		Email        string               `json:"email" maxLength:"254" example:"anna@example.com"`
		Password     string               `json:"password" maxLength:"1024" format:"password" example:"four words of hers"`
		Organization model.OrganizationID `json:"organization,omitempty" maxLength:"63" doc:"If it is known already" example:"acme"`
		Browser      bool                 `json:"browser,omitempty" doc:"Have the tokens in cookies"`
	}
},
) (*signInAnswer, error) {
	from := in.from(ctx)
	from.Browser = in.Body.Browser
	s, err := a.People.SignIn(ctx, in.Body.Email, secret.New(in.Body.Password), in.Body.Organization, from)
	return a.step(ctx, s, err)
}

// Challenge is what the step before gave.
type Challenge struct {
	Challenge string `json:"challenge" maxLength:"32768" example:"caqc_…"`
}

func (a *API) secondFactor(ctx context.Context, in *struct {
	Device
	Body struct {
		Challenge
		Code       string          `json:"code,omitempty" maxLength:"16" doc:"Of the authenticator app" example:"123456"`
		BackupCode string          `json:"backup_code,omitempty" maxLength:"64"`
		Passkey    json.RawMessage `json:"passkey,omitempty" doc:"What navigator.credentials.get() gave, as JSON"`
	}
},
) (*signInAnswer, error) {
	challenge, from, b := secret.New(in.Body.Challenge.Challenge), in.from(ctx), in.Body
	var s people.Step
	var err error
	switch {
	case b.Code != "" && b.BackupCode == "" && len(b.Passkey) == 0:
		s, err = a.People.TOTP(ctx, challenge, secret.New(b.Code), from)
	case b.BackupCode != "" && b.Code == "" && len(b.Passkey) == 0:
		s, err = a.People.BackupCode(ctx, challenge, secret.New(b.BackupCode), from)
	case len(b.Passkey) > 0 && b.Code == "" && b.BackupCode == "":
		s, err = a.People.Passkey(ctx, challenge, b.Passkey, from)
	default:
		return nil, invalid(ctx, "body", "say one of code, backup_code and passkey")
	}
	return a.step(ctx, s, err)
}

// PasskeyCeremony is what a browser asks a passkey for.
type PasskeyCeremony struct {
	Challenge string          `json:"challenge" doc:"For the next step"`
	Options   json.RawMessage `json:"options" doc:"For navigator.credentials"`
}

type ceremonyAnswer struct{ Body PasskeyCeremony }

func (a *API) ceremony(ctx context.Context, c people.Ceremony, err error) (*ceremonyAnswer, error) {
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &ceremonyAnswer{PasskeyCeremony{c.Ticket.Reveal(), c.Options}}, nil
}

func (a *API) passkeyOptions(ctx context.Context, in *struct {
	Device
	Body Challenge
},
) (*ceremonyAnswer, error) {
	c, err := a.People.PasskeyOptions(ctx, secret.New(in.Body.Challenge), in.from(ctx))
	return a.ceremony(ctx, c, err)
}

// TOTPEnrolment is what an authenticator app is set up with. It is shown once.
type TOTPEnrolment struct {
	Secret string `json:"secret" doc:"In base32, to be typed where there is no camera"`
	URI    string `json:"uri" format:"uri" doc:"otpauth://"`
	QR     string `json:"qr" doc:"The URI as an SVG element, to stand within a page"`
}

type enrolmentAnswer struct{ Body TOTPEnrolment }

func (a *API) enrol(ctx context.Context, e people.Enrolment, err error) (*enrolmentAnswer, error) {
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &enrolmentAnswer{TOTPEnrolment{e.Secret.Reveal(), e.URI.Reveal(), e.QR.Reveal()}}, nil
}

func (a *API) enrolment(ctx context.Context, in *struct {
	Device
	Body Challenge
},
) (*enrolmentAnswer, error) {
	e, err := a.People.Enrol(ctx, secret.New(in.Body.Challenge), in.from(ctx))
	return a.enrol(ctx, e, err)
}

func (a *API) chooseOrganization(ctx context.Context, in *struct {
	Device
	Body struct {
		Challenge
		Organization model.OrganizationID `json:"organization" maxLength:"63" example:"acme"`
	}
},
) (*signInAnswer, error) {
	s, err := a.People.Choose(ctx, secret.New(in.Body.Challenge.Challenge), in.Body.Organization, in.from(ctx))
	return a.step(ctx, s, err)
}

func (a *API) takeOver(ctx context.Context, in *struct {
	Device
	Body struct {
		Code     string `json:"code" maxLength:"32768" example:"caqc_…"`
		Verifier string `json:"verifier" minLength:"43" maxLength:"128" doc:"Whose SHA-256 the challenge was (RFC 7636)" example:"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"`
	}
},
) (*signInAnswer, error) {
	s, err := a.People.TakeOver(ctx, secret.New(in.Body.Code), secret.New(in.Body.Verifier), in.from(ctx))
	return a.step(ctx, s, err)
}
