package people

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// ChallengeAge is how long a sign-in may take, and a passkey's ceremony.
const ChallengeAge = 10 * time.Minute

// Purposes of tickets. What is sealed for one opens for no other.
const (
	ticketSignIn   = "sign-in"              // a challenge
	ticketPasskey  = "passkey-registration" // somebody who is signed in registers a passkey
	ticketHandover = "handover"             // a program signs in as who is signed in in a browser
)

// ticket is what a client carries from one step to the next, so that nothing is stored for
// those who never come back.
//
// It is sealed (AES-GCM) and not signed: nobody but this installation reads or writes one,
// so that public verification is of no use, and what was proven, of whom and from which
// device is nobody's business on the way. What it is for is bound to the ciphertext, which
// is no JWT: no verifier of access tokens can take it for one, nor the other way round,
// whatever either says in a header.
type ticket struct {
	ID     string         `json:"id"` // good for one last step
	Person model.PersonID `json:"person"`
	Epoch  int64          `json:"epoch"` // of the person: one that moved on ends the ticket
	Until  time.Time      `json:"until"`
	// Device is the digest of the device cookie that came with the first step, which comes
	// with all others; empty if none did, as with programs.
	Device string `json:"device,omitempty"`

	Organization model.OrganizationID `json:"organization,omitempty"` // that is signed in to
	Invitation   model.InvitationID   `json:"invitation,omitempty"`   // that is accepted
	// Second says that the second factor is proven, too, or that there was none.
	Second bool `json:"second,omitempty"`
	// Enrol says that all is proven that there is, and an app has to be set up.
	Enrol bool `json:"enrol,omitempty"`

	Browser bool `json:"browser,omitempty"` // see From

	// Since is when all was proven, if that was for the session that this goes on from.
	Since time.Time `json:"since,omitzero"`

	Session  model.SessionID       `json:"session,omitempty"`  // of who registers a passkey, or hands over
	Verifier string                `json:"verifier,omitempty"` // its SHA-256, of a handover
	Ceremony *webauthn.SessionData `json:"ceremony,omitempty"` // of a passkey
}

// ticketPrefix begins what a ticket is written as.
const ticketPrefix = "caqc_"

// maxTicket is the most bytes of a ticket: a ceremony names ten passkeys, each of at most
// 1,023 bytes (https://www.w3.org/TR/webauthn-3/#credential-id).
const maxTicket = 32 << 10

// deviceDigest names a device cookie in tickets.
func deviceDigest(cookie secret.String) string {
	token, err := ParseToken(DeviceToken, cookie)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(token.hash[:])
}

// write makes a ticket anew: with an id of its own, and as long to go as before.
func (s Service) write(ctx context.Context, purpose string, t ticket) (secret.String, error) {
	t.ID = ulid.Make().String()
	body, err := json.Marshal(t)
	if err != nil {
		return secret.String{}, fmt.Errorf("write a ticket: %w", err)
	}
	sealed, err := s.seal(ctx, "tickets", purpose, secret.New(string(body)))
	if err != nil {
		return secret.String{}, err
	}
	return secret.New(ticketPrefix + base64.RawURLEncoding.EncodeToString(sealed)), nil
}

// read opens a ticket that is good now, from the device that it is for. Anything else is a
// *RefusedError with one code, whatever is wrong.
func (s Service) read(ctx context.Context, purpose string, text, device secret.String) (t ticket, err error) {
	over := func(why string) error { return refuse(CodeChallengeOver, errors.New(why)) }
	plain := text.Reveal()
	if len(plain) > maxTicket || len(plain) < len(ticketPrefix) || plain[:len(ticketPrefix)] != ticketPrefix {
		return t, over("it is no ticket")
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(plain[len(ticketPrefix):])
	if err != nil || strings.ContainsAny(plain, "\r\n") { // which the decoder passes over
		return t, over("it is no base64url")
	}
	body, err := s.open(ctx, "tickets", purpose, sealed)
	if errors.Is(err, secret.ErrSealed) {
		return t, refuse(CodeChallengeOver, err)
	}
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal([]byte(body.Reveal()), &t); err != nil {
		return t, fmt.Errorf("read a ticket: %w", err)
	}
	switch {
	case !s.Now().Before(t.Until):
		return t, over("it is too old")
	case t.Device != "" && t.Device != deviceDigest(device):
		return t, over("it is of another device")
	}
	return t, nil
}

// use uses a ticket up. It comes before what it is used for: who dies then begins anew.
func (s Service) use(ctx context.Context, t ticket) error {
	first, err := s.Store.Limits().UseOnce(ctx, "ticket", t.ID, t.Until.Add(ChallengeAge))
	if err == nil && !first {
		err = refuse(CodeChallengeOver, errors.New("it was used"))
	}
	return err
}
