package people

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// How long things of access tokens last.
const (
	AccessAge = 15 * time.Minute // of an access token
	ClockSkew = 30 * time.Second // by which two instances' clocks may differ

	keySigns = 30 * 24 * time.Hour // a key, before the next one is made
	keyAge   = 2 * keySigns        // a key is forgotten, long after its last token
	keyRests = 10 * time.Second    // a new key signs nothing before all instances may know it
	keysRead = time.Minute         // what is known of the keys is read again
	keysMiss = keyRests / 2        // the same for a token of an unknown key, so that nobody can make it a flood
	mostKeys = 4                   // that are good at once; there are two
)

const (
	audience = "cloudarq"
	// tokenType tells access tokens from any other JWT that these keys could ever sign
	// (RFC 8725, section 3.11; RFC 9068, section 2.1).
	tokenType = "at+jwt"
	// maxAccessToken is the most bytes of an access token; they have about 600.
	maxAccessToken = 4096
)

// tokenKeys is what the data key of the keys belongs to.
const tokenKeys = "tokens"

// AccessTokens issues and verifies access tokens: JWTs that Ed25519 signs. Its keys are
// the installation's. They are made at first use and replaced each month, and lie sealed
// in the table: also the public halves are taken from what is sealed, so that whoever can
// write to the table cannot sign. All methods are safe for concurrent use.
type AccessTokens struct {
	store  *store.Store
	keys   secret.Wrapper
	issuer string
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex
	known  []tokenKey // the newest first
	last   int64      // number of the newest, also of one that does not open
	readAt time.Time
}

// NewAccessTokens is for the access tokens of an installation. The issuer names it, by its
// URL.
func NewAccessTokens(s *store.Store, keys secret.Wrapper, issuer string, now func() time.Time, log *slog.Logger) *AccessTokens {
	return &AccessTokens{store: s, keys: keys, issuer: issuer, now: now, log: log}
}

// tokenKey is a key that opened.
type tokenKey struct {
	store.TokenKey
	public ed25519.PublicKey
	// A function and not the key: see secret.String.
	private func() ed25519.PrivateKey
}

// claims are what an access token says.
type claims struct {
	jwt.RegisteredClaims
	Session      model.SessionID      `json:"sid"`
	Organization model.OrganizationID `json:"org"`
}

// Claims are what an access token says of who has it. Whether that is so still, the
// session says.
type Claims struct {
	ID           string // of the token
	Person       model.PersonID
	Session      model.SessionID
	Organization model.OrganizationID
	ExpiresAt    time.Time
}

// Issue makes an access token for a session.
func (t *AccessTokens) Issue(ctx context.Context, s model.Session) (token secret.String, expires time.Time, err error) {
	key, err := t.signer(ctx)
	if err != nil {
		return token, expires, err
	}
	now := t.now()
	expires = now.Add(AccessAge)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Audience: jwt.ClaimStrings{audience}, Subject: string(s.Person), ID: ulid.Make().String(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Session: s.ID, Organization: s.Organization,
	})
	unsigned.Header["kid"], unsigned.Header["typ"] = key.ID, tokenType
	text, err := unsigned.SignedString(key.private())
	if err != nil {
		return token, expires, fmt.Errorf("sign an access token: %w", err)
	}
	return secret.New(text), expires, nil
}

// Verify reads an access token that this installation issued and that is good now, give or
// take ClockSkew. One that is not is a *RefusedError; any other error says that it could
// not be found out.
func (t *AccessTokens) Verify(ctx context.Context, token secret.String) (Claims, error) {
	text := token.Reveal()
	if err := strict(text); err != nil {
		return Claims{}, refuse(CodeTokenInvalid, err)
	}
	var unknown error
	var c claims
	parsed, err := jwt.ParseWithClaims(text, &c, func(unverified *jwt.Token) (any, error) {
		if unverified.Header["typ"] != tokenType {
			return nil, fmt.Errorf("a token of type %q", unverified.Header["typ"])
		}
		id, _ := unverified.Header["kid"].(string)
		key, err := t.verifier(ctx, id)
		if err != nil {
			unknown = err
		}
		return key, err
	},
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), // and no other, whatever the token says (RFC 8725, section 3.1)
		jwt.WithStrictDecoding(), jwt.WithIssuer(t.issuer), jwt.WithAudience(audience),
		jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithLeeway(ClockSkew), jwt.WithTimeFunc(t.now),
	)
	switch {
	case unknown != nil && !errors.Is(unknown, errNoKey):
		return Claims{}, unknown
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, refuse(CodeTokenExpired, err)
	case err != nil:
		return Claims{}, refuse(CodeTokenInvalid, err)
	case !parsed.Valid || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > AccessAge:
		return Claims{}, refuse(CodeTokenInvalid, errors.New("it is good for longer than any"))
	case !model.IsULID(c.Subject) || !model.IsULID(string(c.Session)) || c.Organization == "":
		return Claims{}, refuse(CodeTokenInvalid, errors.New("it says of nobody who it is"))
	}
	return Claims{c.ID, model.PersonID(c.Subject), c.Session, c.Organization, c.ExpiresAt.Time}, nil
}

// compact is the form of a signed JWT (RFC 7515, section 7.1). Go's base64 passes over ends
// of lines, so that one token could be written in many ways.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\z`)

// strict refuses what is larger than any token, and JSON that another reader could take for
// something else: names that are there twice, in another case, or not known. encoding/json,
// by which the library reads, minds none of these.
func strict(text string) error {
	if len(text) > maxAccessToken {
		return fmt.Errorf("it has %d bytes, at most %d are possible", len(text), maxAccessToken)
	}
	if !compact.MatchString(text) {
		return errors.New("it is not three parts of base64url")
	}
	parts := strings.Split(text, ".")
	for i, into := range []any{&struct {
		Algorithm string `json:"alg"`
		Key       string `json:"kid"`
		Type      string `json:"typ"`
	}{}, &claims{}} {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, into, json.RejectUnknownMembers(true))
		}
		if err != nil {
			return fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	return nil
}

// errNoKey says that no key has an id.
var errNoKey = errors.New("there is no such key")

// verifier is the public key with an id.
func (t *AccessTokens) verifier(ctx context.Context, id string) (ed25519.PublicKey, error) {
	for _, age := range []time.Duration{keysRead, keysMiss} {
		keys, _, err := t.read(ctx, age)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.ID == id && t.now().Before(k.Until) {
				return k.public, nil
			}
		}
	}
	return nil, errNoKey
}

// signer is the key that signs now: the newest that all instances know, and one that they
// may not know yet if there is no other.
func (t *AccessTokens) signer(ctx context.Context) (tokenKey, error) {
	keys, last, err := t.read(ctx, keysRead)
	if err == nil && (len(keys) == 0 || t.now().Sub(keys[0].MadeAt) >= keySigns) {
		keys, err = t.create(ctx, last)
	}
	if err != nil {
		return tokenKey{}, err
	}
	for _, k := range keys {
		if now := t.now(); now.Sub(k.MadeAt) >= keyRests && k.Until.Sub(now) > AccessAge+2*ClockSkew {
			return k, nil
		}
	}
	return keys[0], nil
}

// create makes the key that follows the last one, unless somebody else does first.
func (t *AccessTokens) create(ctx context.Context, last int64) ([]tokenKey, error) {
	by, err := datakey.Get(ctx, t.store.DataKeysOf(store.InstallationOwner), t.keys, tokenKeyOwner)
	if err != nil {
		return nil, err
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make a key of access tokens: %w", err)
	}
	defer clear(private)
	now := t.now().UTC()
	k := store.TokenKey{Number: last + 1, ID: ulid.Make().String(), MadeAt: now, Until: now.Add(keyAge)}
	k.Private, err = by.Seal(tokenKeyBinding(k), secret.New(base64.StdEncoding.EncodeToString(private.Seed())))
	if err != nil {
		return nil, fmt.Errorf("make a key of access tokens: %w", err)
	}
	if err := t.store.Installation().PutTokenKey(ctx, k); err != nil && !errors.Is(err, store.ErrConflict) {
		return nil, err
	}
	keys, _, err := t.read(ctx, 0)
	if err == nil && len(keys) == 0 {
		err = errors.New("the new key of access tokens is not there")
	}
	return keys, err
}

// Replace makes a new key and forgets all others, such as one that somebody else may have:
// what they signed is good for nothing, here at once and for other instances within a
// minute. Whoever has a session gets a new access token by it. Who dies in it does it
// again.
func (t *AccessTokens) Replace(ctx context.Context) error {
	_, last, err := t.read(ctx, 0)
	if err != nil {
		return err
	}
	if _, err := t.create(ctx, last); err != nil {
		return err
	}
	stored, err := t.store.Installation().TokenKeys(ctx, mostKeys*mostKeys)
	if err != nil {
		return err
	}
	for _, k := range stored {
		if k.Number <= last {
			if err := t.store.Installation().DeleteTokenKey(ctx, k); err != nil {
				return err
			}
		}
	}
	_, _, err = t.read(ctx, 0)
	return err
}

// read gives the keys as they were not longer ago than some time, the newest first, and
// the number of the last one.
func (t *AccessTokens) read(ctx context.Context, age time.Duration) (keys []tokenKey, last int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if !t.readAt.IsZero() && now.Sub(t.readAt) < age {
		return t.known, t.last, nil
	}
	stored, err := t.store.Installation().TokenKeys(ctx, mostKeys)
	if err != nil {
		return nil, 0, err
	}
	for _, k := range stored {
		last = max(last, k.Number)
		opened, err := t.open(ctx, k)
		if errors.Is(err, secret.ErrSealed) { // not ours, or damaged: it signs and verifies nothing
			t.log.ErrorContext(ctx, "a key of access tokens does not open", slog.Int64("number", k.Number), slog.Any("error", err))
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, opened)
	}
	t.known, t.last, t.readAt = keys, last, now
	return keys, last, nil
}

func (t *AccessTokens) open(ctx context.Context, k store.TokenKey) (tokenKey, error) {
	for _, known := range t.known {
		if known.ID == k.ID && bytes.Equal(known.Private, k.Private) {
			return known, nil
		}
	}
	by, err := datakey.Open(ctx, t.store.DataKeysOf(store.InstallationOwner), t.keys, tokenKeyOwner)
	if err != nil {
		return tokenKey{}, err
	}
	text, err := by.Open(tokenKeyBinding(k), k.Private)
	if err != nil {
		return tokenKey{}, fmt.Errorf("key %d of access tokens: %w", k.Number, err)
	}
	seed, err := base64.StdEncoding.DecodeString(text.Reveal())
	if err != nil || len(seed) != ed25519.SeedSize {
		return tokenKey{}, fmt.Errorf("key %d of access tokens: %w", k.Number, secret.ErrSealed)
	}
	defer clear(seed)
	private := ed25519.NewKeyFromSeed(seed)
	public, _ := private.Public().(ed25519.PublicKey)
	return tokenKey{k, public, func() ed25519.PrivateKey { return private }}, nil
}

var tokenKeyOwner = secret.Owner{Organization: string(store.InstallationOwner), Record: tokenKeys}

// tokenKeyBinding names all that is said of the key beside what is sealed, so that nobody
// can make an old one good again.
func tokenKeyBinding(k store.TokenKey) secret.Binding {
	return secret.Binding{Organization: string(store.InstallationOwner), Record: tokenKeys, Field: fmt.Sprintf("private-key %d %s %d %d", k.Number, k.ID, k.MadeAt.UnixNano(), k.Until.UnixNano())}
}
