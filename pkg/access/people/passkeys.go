package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Relying is the relying party of passkeys (https://www.w3.org/TR/webauthn-3/#relying-party).
type Relying struct {
	ID      string   // a domain: "audit.example.com"; passkeys are good for no other
	Origins []string // of the pages that use them: "https://audit.example.com"
}

// RelyingAt is where passkeys of people are for who find CloudArq at a URL: its name. There
// are none at an address (https://www.w3.org/TR/webauthn-3/#rp-id, 30 November 2026), nor
// where nobody says it.
func RelyingAt(publicURL string) Relying {
	u, err := url.Parse(strings.TrimSuffix(publicURL, "/"))
	if err != nil || u.Host == "" {
		return Relying{}
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return Relying{}
	}
	r := Relying{ID: strings.ToLower(u.Hostname()), Origins: []string{u.Scheme + "://" + u.Host}}
	if r.Check() != nil {
		return Relying{}
	}
	return r
}

// Check refuses what no browser would take for a relying party.
func (r Relying) Check() error {
	_, err := r.party()
	return err
}

func (r Relying) party() (*webauthn.WebAuthn, error) {
	party, err := webauthn.New(&webauthn.Config{
		RPID: r.ID, RPDisplayName: issuerName, RPOrigins: r.Origins,
		// Who made the device is nobody's business here, and no list of makers is kept.
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			// It is a second factor: the password was asked for, and keys without a PIN or a
			// finger count; and people are found by their e-mail address, not by what lies
			// on a key.
			UserVerification: protocol.VerificationPreferred,
			ResidentKey:      protocol.ResidentKeyRequirementDiscouraged,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("relying party %q: %w", r.ID, err)
	}
	return party, nil
}

// passkeyHolder is a person as the library has it.
type passkeyHolder struct {
	who         model.Person
	credentials []webauthn.Credential
}

func holderOf(who model.Person) (passkeyHolder, error) {
	h := passkeyHolder{who: who}
	for _, k := range who.Credentials.Passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Credential, &c); err != nil {
			return h, fmt.Errorf("passkey %s: %w", k.ID, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// WebAuthnID implements webauthn.User: no two people have the same, and it says nothing of
// them (https://www.w3.org/TR/webauthn-3/#user-handle).
func (h passkeyHolder) WebAuthnID() []byte { return []byte(h.who.ID) }

// WebAuthnName implements webauthn.User.
func (h passkeyHolder) WebAuthnName() string { return h.who.Email }

// WebAuthnDisplayName implements webauthn.User.
func (h passkeyHolder) WebAuthnDisplayName() string {
	if h.who.Name == "" {
		return h.who.Email
	}
	return h.who.Name
}

// WebAuthnCredentials implements webauthn.User.
func (h passkeyHolder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// Ceremony is what a browser is asked, and the ticket that its answer comes back with. One
// ticket is good for one answer.
type Ceremony struct {
	Options json.RawMessage // for navigator.credentials, under "publicKey"
	Ticket  secret.String
}

func (s Service) ceremony(ctx context.Context, purpose string, t ticket, options any, data *webauthn.SessionData) (Ceremony, error) {
	said, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("options of a passkey: %w", err)
	}
	t.Ceremony = data
	text, err := s.write(ctx, purpose, t)
	return Ceremony{said, text}, err
}

// PasskeyOptions asks for a passkey as the second step of a sign-in.
func (s Service) PasskeyOptions(ctx context.Context, challenge secret.String, from From) (Ceremony, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	if err == nil && (t.Second || !slices.Contains(s.methods(who), MethodPasskey)) {
		err = refuse(CodeChallengeOver, errors.New("no passkey can be next"))
	}
	if err != nil {
		return Ceremony{}, err
	}
	party, err := s.Relying.party()
	if err != nil {
		return Ceremony{}, err
	}
	holder, err := holderOf(who)
	if err != nil {
		return Ceremony{}, err
	}
	options, data, err := party.BeginLogin(holder)
	if err != nil {
		return Ceremony{}, fmt.Errorf("options of a passkey: %w", err)
	}
	return s.ceremony(ctx, ticketSignIn, t, options, data)
}

// maxPasskeyAnswer is the most bytes of what a browser answers.
const maxPasskeyAnswer = 64 << 10

// Passkey is the second step, by what a browser answered to PasskeyOptions.
func (s Service) Passkey(ctx context.Context, challenge secret.String, answer []byte, from From) (Step, error) {
	t, who, err := s.challenged(ctx, challenge, from)
	if err == nil && (t.Second || t.Ceremony == nil || s.Relying.ID == "") {
		err = refuse(CodeChallengeOver, errors.New("no passkey is next"))
	}
	var try Allowance
	if err == nil {
		try, err = s.tryCode(ctx, who, from)
	}
	if err == nil {
		err = s.use(ctx, t)
	}
	if err != nil {
		return Step{}, err
	}
	var cloned bool
	who, err = s.change(ctx, t.Person, func(who *model.Person) error {
		if err := t.still(*who); err != nil {
			return err
		}
		cloned, err = s.assert(who, *t.Ceremony, answer)
		return err
	})
	if cloned {
		err = errors.Join(s.noteEverywhere(ctx, who, from, "a passkey's counter went back"), err)
	}
	if err == nil {
		err = s.Limits.GiveBack(ctx, try)
	}
	if err != nil {
		return Step{}, err
	}
	t.Second, t.Ceremony = true, nil
	return s.arrive(ctx, who, t, from)
}

// answered is both sides of a ceremony of which there is an answer.
func (s Service) answered(who model.Person, answer []byte) (*webauthn.WebAuthn, passkeyHolder, error) {
	party, err := s.Relying.party()
	if err != nil {
		return nil, passkeyHolder{}, err
	}
	if len(answer) > maxPasskeyAnswer {
		return nil, passkeyHolder{}, refuse(CodePasskeyRefused, errors.New("the answer is too large"))
	}
	h, err := holderOf(who)
	return party, h, err
}

// assert takes the answer of a passkey of a person's, and notes its counter. A counter that
// goes back is refused: two devices have the key. The counter stays as it was then.
func (s Service) assert(who *model.Person, ceremony webauthn.SessionData, answer []byte) (cloned bool, err error) {
	party, holder, err := s.answered(*who, answer)
	if err != nil {
		return false, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return false, refuse(CodePasskeyRefused, err)
	}
	used, err := party.ValidateLogin(holder, ceremony, parsed)
	if err != nil {
		return false, refuse(CodePasskeyRefused, err)
	}
	if used.Authenticator.CloneWarning {
		return true, refuse(CodePasskeyCloned, nil)
	}
	keys := slices.Clone(who.Credentials.Passkeys)
	for i, c := range holder.credentials {
		if slices.Equal(c.ID, used.ID) {
			if keys[i].Credential, err = json.Marshal(used); err != nil {
				return false, fmt.Errorf("passkey %s: %w", keys[i].ID, err)
			}
			keys[i].UsedAt = s.Now().UTC()
		}
	}
	who.Credentials.Passkeys = keys
	return false, nil
}

// noteEverywhere tells all organizations of a person of what is tried in its name.
func (s Service) noteEverywhere(ctx context.Context, who model.Person, from From, what string) error {
	orgs, err := s.Store.People().Organizations(ctx, who.ID)
	for _, org := range orgs {
		err = errors.Join(err, s.note(ctx, org, s.by(who, from), who.ID, what))
	}
	return err
}

// RegisterPasskeyOptions begins to register a passkey of somebody who is signed in and
// knows the password.
func (s Service) RegisterPasskeyOptions(ctx context.Context, caller Caller, password secret.String, from From) (Ceremony, error) {
	who, err := s.reauthenticate(ctx, caller, password, from)
	if err != nil {
		return Ceremony{}, err
	}
	if len(who.Credentials.Passkeys) >= model.MaxPasskeys {
		return Ceremony{}, &model.FieldError{Field: "passkeys", Reason: fmt.Sprintf("nobody has more than %d", model.MaxPasskeys)}
	}
	party, err := s.Relying.party()
	if err != nil {
		return Ceremony{}, err
	}
	holder, err := holderOf(who)
	if err != nil {
		return Ceremony{}, err
	}
	options, data, err := party.BeginRegistration(holder, webauthn.WithExclusions(webauthn.Credentials(holder.credentials).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("options of a new passkey: %w", err)
	}
	t := ticket{Person: who.ID, Epoch: who.Epoch, Until: s.Now().Add(ChallengeAge).UTC(), Device: deviceDigest(from.Device), Session: caller.Session}
	return s.ceremony(ctx, ticketPasskey, t, options, data)
}

// RegisterPasskey keeps the passkey that a browser made, under a name. Who had no second
// factor gets backup codes.
func (s Service) RegisterPasskey(ctx context.Context, caller Caller, text secret.String, name string, answer []byte, from From) (key model.Passkey, codes []secret.String, err error) {
	t, err := s.read(ctx, ticketPasskey, text, from.Device)
	if err == nil && (t.Session != caller.Session || t.Person != caller.Person || t.Ceremony == nil) {
		err = refuse(CodeChallengeOver, errors.New("it is of another session"))
	}
	if err != nil {
		return key, nil, err
	}
	key = model.Passkey{ID: ulid.Make().String(), Name: strings.TrimSpace(name), CreatedAt: s.Now().UTC()}
	if err := key.Check(); err != nil {
		return key, nil, err
	}
	if err := s.use(ctx, t); err != nil {
		return key, nil, err
	}
	who, err := s.Store.People().Person(ctx, caller.Person)
	if err != nil {
		return key, nil, err
	}
	made, err := s.register(who, *t.Ceremony, answer)
	if err != nil {
		return key, nil, err
	}
	if key.Credential, err = json.Marshal(made); err != nil {
		return key, nil, fmt.Errorf("passkey %s: %w", key.ID, err)
	}
	if err := s.note(ctx, caller.Organization, s.by(who, from), who.ID, "passkey registered: "+key.Name); err != nil {
		return key, nil, err
	}
	_, err = s.change(ctx, caller.Person, func(who *model.Person) error {
		if err := t.still(*who); err != nil {
			return err
		}
		if !who.SecondFactor() {
			codes, who.Credentials.BackupCodes = NewBackupCodes()
		}
		who.Credentials.Passkeys = append(slices.Clone(who.Credentials.Passkeys), key)
		return nil
	})
	return key, codes, err
}

// register checks the answer of a browser that made a passkey.
func (s Service) register(who model.Person, ceremony webauthn.SessionData, answer []byte) (*webauthn.Credential, error) {
	party, holder, err := s.answered(who, answer)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, refuse(CodePasskeyRefused, err)
	}
	made, err := party.CreateCredential(holder, ceremony, parsed)
	if err != nil {
		return nil, refuse(CodePasskeyRefused, err)
	}
	for _, c := range holder.credentials {
		if slices.Equal(c.ID, made.ID) {
			return nil, refuse(CodePasskeyRefused, errors.New("it is registered"))
		}
	}
	made.Attestation = webauthn.CredentialAttestation{} // nobody is going to ask for it, and it is large
	return made, nil
}
