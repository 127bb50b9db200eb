package people

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// HandoverAge is how long the code of a handover is good: a browser is sent on with it at
// once.
const HandoverAge = time.Minute

// ClientCommand is what a session says of its client that a handover began.
const ClientCommand = "cloudarq command"

// Handover makes the code by which a program on somebody's own computer signs in as who is
// signed in in a browser there. The browser takes it to the program's loopback address, and
// whoever else sees it on the way has no use for it: it is bound to the challenge, whose
// verifier only the program has (https://www.rfc-editor.org/rfc/rfc8252, sections 7.3 and
// 8.1; https://www.rfc-editor.org/rfc/rfc7636, method S256).
func (s Service) Handover(ctx context.Context, caller Caller, challenge string, from From) (code secret.String, until time.Time, err error) {
	if caller.Session == "" {
		return code, until, refuse(CodeNotByToken, nil)
	}
	if digest, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(digest) != sha256.Size || len(challenge) != 43 { // the decoder skips line ends
		return code, until, &model.FieldError{Field: "challenge", Reason: "it is the SHA-256 of the verifier in base64url, of 43 characters"}
	}
	_, err = s.Limits.Take(ctx, Handovers, Who{Organization: caller.Organization, Person: string(caller.Person), Session: string(caller.Session), Address: from.Address})
	if err != nil {
		return code, until, err
	}
	until = s.Now().Add(HandoverAge).UTC()
	code, err = s.write(ctx, ticketHandover, ticket{
		Person: caller.Person, Session: caller.Session, Until: until, Verifier: challenge,
	})
	return code, until, err
}

// TakeOver signs a program in by the code of a handover and the verifier that it drew. The
// session is one of its own, of the organization of the browser's and by single sign-on if
// that is, which has to go on still. A wrong verifier uses nothing up, and is counted.
func (s Service) TakeOver(ctx context.Context, code, verifier secret.String, from From) (Step, error) {
	if _, err := s.Limits.Take(ctx, handoverTries, Who{Address: from.Address}); err != nil {
		return Step{}, err
	}
	t, err := s.read(ctx, ticketHandover, code, secret.String{})
	if err != nil {
		return Step{}, err
	}
	digest := sha256.Sum256([]byte(verifier.Reveal()))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(digest[:])), []byte(t.Verifier)) != 1 {
		return Step{}, refuse(CodeChallengeOver, errors.New("it is for another verifier"))
	}
	first, err := s.Store.People().Session(ctx, t.Person, t.Session)
	if err != nil {
		return Step{}, ended(err)
	}
	if !first.Live(s.Now()) {
		return Step{}, refuse(CodeSessionEnded, nil)
	}
	who, _, err := s.holder(ctx, first)
	if err == nil && s.MayRefresh != nil {
		err = s.MayRefresh(ctx, first, who)
	}
	if err == nil {
		err = s.use(ctx, t)
	}
	if err != nil {
		return Step{}, err
	}
	from.Client = ClientCommand
	entry, err := s.begin(ctx, who, model.Session{Organization: first.Organization, SSO: first.SSO, ProvenAt: first.Since(), EndsAt: first.EndsAt}, from, s.entering(from))
	return Step{Entry: entry}, err
}
