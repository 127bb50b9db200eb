package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// SignInError says that somebody has to sign in to a server, anew or for the first time.
type SignInError struct {
	Server string
	Cause  error
}

// Error implements error.
func (e *SignInError) Error() string {
	return fmt.Sprintf("%v; sign in: cloudarq login --server %s", e.Cause, e.Server)
}

// Unwrap is why.
func (e *SignInError) Unwrap() error { return e.Cause }

// Session is the tokens that are kept of a server, and renewed. It is a client.Tokens.
type Session struct {
	Store  Store
	Client *client.Client // of the server
	Now    func() time.Time

	mu   sync.Mutex
	kept Credentials
	read bool
}

// early is how long before its end an access token is taken for ended: the clocks of two
// machines differ.
const early = 30 * time.Second

// renewWithin bounds a renewal, which nobody interrupts: the server has taken the old token
// back by then, and what it answers is the only one that is good.
const renewWithin = time.Minute

// Token implements client.Tokens.
func (s *Session) Token(ctx context.Context, refused secret.String) (secret.String, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read {
		if err := s.load(ctx); err != nil {
			return secret.String{}, err
		}
		s.read = true
	}
	if token, good := s.good(refused); good {
		return token, nil
	}
	if !s.kept.APIToken.Empty() {
		return secret.String{}, s.over(errors.New("the server does not accept the API token that is kept: it is over, or was ended"))
	}
	err := s.Store.Alone(ctx, s.Client.Server(), func() error {
		if err := s.load(ctx); err != nil { // what another command may have renewed
			return err
		}
		if _, good := s.good(refused); good {
			return nil
		}
		alone, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewWithin)
		defer cancel()
		return s.renew(alone)
	})
	if err != nil {
		return secret.String{}, err
	}
	token, _ := s.good(secret.String{}) // an API token, if somebody signed in by one meanwhile
	return token, nil
}

func (s *Session) load(ctx context.Context) (err error) {
	s.kept, _, err = s.Store.Get(ctx, s.Client.Server())
	if errors.Is(err, ErrNone) {
		return s.over(fmt.Errorf("nobody is signed in to %s", s.Client.Server()))
	}
	if err != nil {
		return s.over(err)
	}
	return nil
}

// good is the token that is kept, if it may be good still.
func (s *Session) good(refused secret.String) (secret.String, bool) {
	token := s.kept.Access
	if !s.kept.APIToken.Empty() {
		token = s.kept.APIToken
	} else if !s.Now().Add(early).Before(s.kept.Until) {
		return token, false
	}
	return token, refused.Empty() || token.Reveal() != refused.Reveal()
}

func (s *Session) over(err error) error { return &SignInError{s.Client.Server(), err} }

// renew gets the next tokens, and keeps them.
func (s *Session) renew(ctx context.Context) error {
	next, err := s.Client.Refresh(ctx, s.kept.Refresh)
	var p *client.Problem
	switch {
	case errors.As(err, &p) && (p.Status == http.StatusUnauthorized || p.Code == raced):
		// No other command has the next one: all of them renew alone. It was one whose
		// answer was lost, or that was killed before it could keep it.
		return s.over(err)
	case err != nil:
		return err
	case next.AccessToken == "" || next.RefreshToken == "":
		return fmt.Errorf("what answers at %s is not CloudArq's API: it gives no tokens", s.Client.Server())
	}
	s.kept = session(s.Client.Server(), next)
	_, err = s.Store.Put(ctx, s.kept)
	return err
}

// raced is the code of a refresh token that was used a moment ago.
const raced = "refresh_raced"

// session are the credentials of a sign-in that is done.
func session(server string, s client.SignIn) Credentials {
	return Credentials{Server: server, Access: secret.New(s.AccessToken), Until: s.ExpiresAt, Refresh: secret.New(s.RefreshToken)}
}

// Given is a token that the user gave and that is not kept. It is a client.Tokens.
type Given struct {
	Server string
	Of     string // where it was given
	Secret secret.String
}

// Token implements client.Tokens.
func (g Given) Token(_ context.Context, refused secret.String) (secret.String, error) {
	if !refused.Empty() {
		return secret.String{}, &SignInError{g.Server, fmt.Errorf("the server does not accept the token of %s: it is over, was ended, or is another server's", g.Of)}
	}
	return g.Secret, nil
}
