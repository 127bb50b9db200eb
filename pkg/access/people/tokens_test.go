package people_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const issuer = "https://audit.example.com"

var begin = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

// watch is a clock that is set by hand.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// installation is a table and a keyring, of which instances are made.
type installation struct {
	watch *watch
	table table.Table
	keys  *keyring.Keyring
	log   *strings.Builder
}

func install(t testing.TB) installation {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return installation{keys: keys}.anew()
}

// anew is an installation with nothing in it but the keyring.
func (i installation) anew() installation {
	w := &watch{now: begin}
	return installation{w, memtable.New(w.Now), i.keys, &strings.Builder{}}
}

func (i installation) store() *store.Store { return store.New(i.table, nil) }

func (i installation) instance() *people.AccessTokens {
	return people.NewAccessTokens(i.store(), i.keys, issuer, i.watch.Now, slog.New(slog.NewTextHandler(i.log, nil)))
}

func aSession() model.Session {
	return model.Session{ID: model.SessionID(ulid.Make().String()), Person: model.PersonID(ulid.Make().String()), Organization: "acme"}
}

func issue(t *testing.T, from *people.AccessTokens, s model.Session) secret.String {
	t.Helper()
	token, _, err := from.Issue(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// code is that of a refusal; "" if there was none, "?" of any other error.
func code(err error) string {
	var refused *people.RefusedError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case err != nil:
		return "? " + err.Error()
	}
	return ""
}

// TestAccessToken: it says of whom it is, to every instance.
func TestAccessToken(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := aSession()
	token, expires, err := i.instance().Issue(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.instance().Verify(t.Context(), token)
	want := people.Claims{ID: got.ID, Person: s.Person, Session: s.ID, Organization: "acme", ExpiresAt: begin.Add(15 * time.Minute)}
	got.ExpiresAt = got.ExpiresAt.UTC()
	if err != nil || got != want || !expires.Equal(want.ExpiresAt) || !model.IsULID(got.ID) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if n := len(token.Reveal()); n > 1000 {
		t.Errorf("a token has %d bytes", n)
	}
}

// TestAccessTokenAge: a token is good from when it was issued for a quarter of an hour, by
// every clock that is wrong by half a minute at most, and by none that is much more wrong.
func TestAccessTokenAge(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{
		-time.Hour: people.CodeTokenInvalid, -31 * time.Second: people.CodeTokenInvalid, -30 * time.Second: "", 0: "", 14 * time.Minute: "",
		15*time.Minute + 29*time.Second: "", 15*time.Minute + 31*time.Second: people.CodeTokenExpired, 24 * time.Hour: people.CodeTokenExpired,
	} {
		i := install(t)
		token := issue(t, i.instance(), aSession())
		i.watch.Pass(after)
		if _, err := i.instance().Verify(t.Context(), token); code(err) != want {
			t.Errorf("after %s: %v, want %q", after, err, want)
		}
	}
}

// keyOf opens the key that signs, as only the installation can.
func (i installation) keyOf(t *testing.T) (kid string, private ed25519.PrivateKey) {
	t.Helper()
	stored, err := i.store().Installation().TokenKeys(t.Context(), 1)
	if err != nil || len(stored) != 1 {
		t.Fatalf("%+v, %v", stored, err)
	}
	k := stored[0]
	by, err := datakey.Open(t.Context(), i.store().DataKeysOf(store.InstallationOwner), i.keys, secret.Owner{Organization: "#installation", Record: "tokens"})
	if err != nil {
		t.Fatal(err)
	}
	field := fmt.Sprintf("private-key %d %s %d %d", k.Number, k.ID, k.MadeAt.UnixNano(), k.Until.UnixNano())
	text, err := by.Open(secret.Binding{Organization: "#installation", Record: "tokens", Field: field}, k.Private)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := base64.StdEncoding.DecodeString(text.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return k.ID, ed25519.NewKeyFromSeed(seed)
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forged is a token of any header and claims that a key signed.
func forged(key ed25519.PrivateKey, header, payload string) string {
	text := part(header) + "." + part(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(text)))
}

// TestForgedAccessTokens tries what is known to have let strangers in elsewhere.
func TestForgedAccessTokens(t *testing.T) {
	t.Parallel()
	i := install(t)
	tokens := i.instance()
	good := issue(t, tokens, aSession()).Reveal()
	kid, key := i.keyOf(t)
	public, _ := key.Public().(ed25519.PublicKey)
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	header := fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"at+jwt"}`, kid)
	said := map[string]any{}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &said)
	}
	if err != nil {
		t.Fatal(err)
	}
	// with is the claims with something changed; nil leaves one out.
	with := func(name string, value any) string {
		changed := map[string]any{}
		for k, v := range said {
			changed[k] = v
		}
		if changed[name] = value; value == nil {
			delete(changed, name)
		}
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	same := with("org", "acme")
	if _, err := tokens.Verify(t.Context(), secret.New(forged(key, header, same))); err != nil {
		t.Fatalf("what the forgeries are made of is refused: %v", err)
	}
	unsigned := func(alg string) string {
		return part(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, kid)) + "." + part(same) + "."
	}
	hs256 := func(with []byte) string {
		text := part(fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"at+jwt"}`, kid)) + "." + part(same)
		mac := hmac.New(sha256.New, with)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	seconds := func(d time.Duration) int64 { return begin.Add(d).Unix() }
	twice := func(name, value string) string {
		return strings.TrimSuffix(same, "}") + `,"` + name + `":` + value + `}`
	}
	huge := forged(key, header, with("sub", strings.Repeat("x", 1<<20)))
	deep := forged(key, header, twice("x", strings.Repeat("[", 1000)+strings.Repeat("]", 1000)))
	last := len(good) - 1
	forgeries := map[string]string{
		"nothing":                       "",
		"a word":                        "token",
		"dots":                          "..",
		"many dots":                     strings.Repeat(".", 4000),
		"two parts":                     parts[0] + "." + parts[1],
		"four parts":                    good + "." + parts[2],
		"five parts, as of JWE":         strings.Join([]string{parts[0], parts[1], parts[2], parts[0], parts[1]}, "."),
		"another key":                   forged(other, header, same),
		"another key's id":              forged(key, strings.Replace(header, kid, ulid.Make().String(), 1), same),
		"another key and its id":        forged(other, strings.Replace(header, kid, ulid.Make().String(), 1), same),
		"no key's id":                   forged(key, `{"alg":"EdDSA","typ":"at+jwt"}`, same),
		"a key's id that is a number":   forged(key, `{"alg":"EdDSA","kid":1,"typ":"at+jwt"}`, same),
		"a key's id that is a path":     forged(key, strings.Replace(header, kid, "../../dev/null", 1), same),
		"a key of its own":              forged(other, strings.TrimSuffix(header, "}")+`,"jwk":{"kty":"OKP","crv":"Ed25519","x":"`+base64.RawURLEncoding.EncodeToString(public)+`"}}`, same),
		"a key from elsewhere":          forged(other, strings.TrimSuffix(header, "}")+`,"jku":"https://evil.example/keys"}`, same),
		"something critical":            forged(key, strings.TrimSuffix(header, "}")+`,"crit":["x"],"x":1}`, same),
		"another type":                  forged(key, strings.Replace(header, "at+jwt", "JWT", 1), same),
		"no type":                       forged(key, strings.Replace(header, `,"typ":"at+jwt"`, "", 1), same),
		"the algorithm none":            unsigned("none"),
		"the algorithm None":            unsigned("None"),
		"the algorithm NONE, signed":    unsigned("NONE") + parts[2],
		"no algorithm":                  unsigned(""),
		"no signature":                  parts[0] + "." + parts[1] + ".",
		"HS256 with the public key":     hs256(public),
		"HS256 with the key's id":       hs256([]byte(kid)),
		"HS256 with nothing":            hs256(nil),
		"ES256":                         forged(key, strings.Replace(header, "EdDSA", "ES256", 1), same),
		"RS256":                         forged(key, strings.Replace(header, "EdDSA", "RS256", 1), same),
		"eddsa":                         forged(key, strings.Replace(header, "EdDSA", "eddsa", 1), same),
		"the algorithm twice":           forged(key, `{"alg":"none",`+header[1:], same),
		"another's claims":              parts[0] + "." + part(with("sub", ulid.Make().String())) + "." + parts[2],
		"another issuer":                forged(key, header, with("iss", "https://evil.example")),
		"an issuer with more":           forged(key, header, with("iss", issuer+"/")),
		"no issuer":                     forged(key, header, with("iss", nil)),
		"another audience":              forged(key, header, with("aud", "other")),
		"no audience":                   forged(key, header, with("aud", nil)),
		"no audience in a list":         forged(key, header, with("aud", []string{})),
		"no person":                     forged(key, header, with("sub", nil)),
		"a person that leads elsewhere": forged(key, header, with("sub", "x#SESSION")),
		"a person that is a number":     forged(key, header, with("sub", 1)),
		"no session":                    forged(key, header, with("sid", nil)),
		"a session that is none":        forged(key, header, with("sid", "x")),
		"no organization":               forged(key, header, with("org", nil)),
		"no end":                        forged(key, header, with("exp", nil)),
		"an end that is a text":         forged(key, header, with("exp", "never")),
		"an end in a million years":     forged(key, header, with("exp", 1e14)),
		"an end after a day":            forged(key, header, with("exp", seconds(24*time.Hour))),
		"over":                          forged(key, header, with("exp", seconds(-time.Minute))),
		"an end before all time":        forged(key, header, with("exp", -1)),
		"no beginning":                  forged(key, header, with("nbf", nil)),
		"not good yet":                  forged(key, header, with("nbf", seconds(time.Minute))),
		"no issue":                      forged(key, header, with("iat", nil)),
		"issued in the future":          forged(key, header, with("iat", seconds(time.Minute))),
		"the person twice":              forged(key, header, twice("sub", `"`+ulid.Make().String()+`"`)),
		"the end twice":                 forged(key, header, twice("exp", fmt.Sprint(seconds(time.Minute)))),
		"the person in capitals":        forged(key, header, twice("SUB", `"`+ulid.Make().String()+`"`)),
		"the organization in capitals":  forged(key, header, twice("Org", `"other"`)),
		"a claim that nobody knows":     forged(key, header, twice("admin", "true")),
		"two documents":                 forged(key, header, same+same),
		"a list":                        forged(key, header, "["+same+"]"),
		"null":                          forged(key, header, "null"),
		"broken UTF-8":                  forged(key, header, with("jti", "x")[:1]+"\"\xff\":1,"+same[1:]),
		"huge":                          huge,
		"deep":                          deep,
		"padding":                       parts[0] + "=." + parts[1] + "." + parts[2],
		"a blank":                       " " + good,
		"a line":                        good + "\n",
		"a line within":                 parts[0] + "." + parts[1] + ".\n" + parts[2],
		"NUL":                           good + "\x00",
		"Bearer":                        "Bearer " + good,
		"another last letter":           good[:last] + string(nextLetter(good[last])),
	}
	for name, token := range forgeries {
		want := people.CodeTokenInvalid
		switch name {
		case "over", "an end before all time":
			want = people.CodeTokenExpired
		}
		if got, err := tokens.Verify(t.Context(), secret.New(token)); code(err) != want {
			t.Errorf("%s: %+v, %v; want %q", name, got, err, want)
		}
	}
	for n := range len(good) { // cut anywhere
		if _, err := tokens.Verify(t.Context(), secret.New(good[:n])); code(err) != people.CodeTokenInvalid {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
}

// nextLetter differs from a letter of base64 in the lowest bit, which means nothing at the
// end of a signature: two texts must not be the same token.
func nextLetter(c byte) byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, c)^1]
}

// TestNoByteMayChange: a token with any byte in any other's place is none.
func TestNoByteMayChange(t *testing.T) {
	t.Parallel()
	i := install(t)
	tokens := i.instance()
	good := issue(t, tokens, aSession()).Reveal()
	rapid.Check(t, func(r *rapid.T) {
		at, b := rapid.IntRange(0, len(good)-1).Draw(r, "at"), rapid.Byte().Draw(r, "byte")
		changed := good[:at] + string([]byte{b}) + good[at+1:]
		if _, err := tokens.Verify(context.Background(), secret.New(changed)); (code(err) == "") != (changed == good) {
			r.Errorf("byte %d: %v", at, err)
		}
	})
}

// FuzzAccessToken: whatever comes is read or refused, and nothing but what was issued is
// read.
func FuzzAccessToken(f *testing.F) {
	tokens := install(f).instance()
	good, _, err := tokens.Issue(f.Context(), aSession())
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good.Reveal(), ".")
	for _, text := range []string{good.Reveal(), "", "..", parts[0] + "..", part(`{"alg":"none"}`) + "." + parts[1] + ".", part(`{"kid":{}}`) + ".e30." + parts[2]} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := tokens.Verify(t.Context(), secret.New(text))
		if c := code(err); c != people.CodeTokenInvalid && (c != "" || text != good.Reveal()) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// TestKeysFollowEachOther: over a year, with instances that come and go, every token that
// any issues is good for every other at once, and until it is over; each key signs for a
// month, and few are good at once.
func TestKeysFollowEachOther(t *testing.T) {
	t.Parallel()
	installed := install(t)
	rapid.Check(t, func(r *rapid.T) {
		i := installed.anew()
		w := i.watch
		instances := []*people.AccessTokens{i.instance(), i.instance(), i.instance()}
		type issued struct {
			token   secret.String
			expires time.Time
		}
		var out []issued
		for w.Now().Before(begin.Add(365 * 24 * time.Hour)) {
			at := rapid.IntRange(0, len(instances)-1).Draw(r, "instance")
			if rapid.IntRange(0, 9).Draw(r, "restarts") == 0 {
				instances[at] = i.instance()
			}
			token, expires, err := instances[at].Issue(context.Background(), aSession())
			if err != nil {
				r.Fatal(err)
			}
			out = append(out, issued{token, expires})
			for _, o := range out[max(0, len(out)-4):] {
				for n, in := range instances {
					want := ""
					if w.Now().After(o.expires.Add(people.ClockSkew)) {
						want = people.CodeTokenExpired
					}
					// A key may be forgotten by then, too.
					if _, err := in.Verify(context.Background(), o.token); code(err) != want && (want == "" || code(err) != people.CodeTokenInvalid) {
						r.Fatalf("on %s instance %d says of a token that is good until %s: %v", w.Now(), n, o.expires, err)
					}
				}
			}
			keys, err := i.store().Installation().TokenKeys(context.Background(), 100)
			if err != nil || len(keys) > 3 {
				r.Fatalf("on %s there are %d keys, %v", w.Now(), len(keys), err)
			}
			if w.Now().Sub(keys[0].MadeAt) > 30*24*time.Hour {
				r.Fatalf("on %s the newest key is of %s", w.Now(), keys[0].MadeAt)
			}
			w.Pass(time.Duration(rapid.SampledFrom([]int64{1, 4, 7, 15, 59, 61, 14 * 60, 3600, 86400, 10 * 86400, 31 * 86400, 70 * 86400}).Draw(r, "seconds")) * time.Second)
			if len(out) > 60 {
				break
			}
		}
	})
}

// TestNobodyNoticesANewKey: each second around the moment at which a key follows another,
// what one instance issues is good for all others at once, whenever these last looked.
func TestNobodyNoticesANewKey(t *testing.T) {
	t.Parallel()
	installed := install(t)
	for looked := range 12 { // seconds before
		i := installed.anew()
		busy, quiet := i.instance(), i.instance()
		issue(t, busy, aSession())
		i.watch.Pass(30*24*time.Hour - time.Duration(looked)*time.Second)
		if _, err := quiet.Verify(t.Context(), issue(t, busy, aSession())); err != nil {
			t.Fatal(err)
		}
		i.watch.Pass(time.Duration(looked) * time.Second)
		for second := range 100 {
			if _, err := quiet.Verify(t.Context(), issue(t, busy, aSession())); err != nil {
				t.Fatalf("looked %d seconds before, %d seconds after the new key: %v", looked, second, err)
			}
			i.watch.Pass(time.Second)
		}
		keys, err := i.store().Installation().TokenKeys(t.Context(), 10)
		if err != nil || len(keys) != 2 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		if kid, _ := i.keyOf(t); !strings.Contains(header(t, issue(t, busy, aSession())), kid) {
			t.Error("the new key signs nothing")
		}
	}
}

// header is that of a token.
func header(t *testing.T, token secret.String) string {
	t.Helper()
	text, _, _ := strings.Cut(token.Reveal(), ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestFirstKeyIsMadeOnce by many instances that begin at once.
func TestFirstKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	tokens := make([]secret.String, 8)
	var all errgroup.Group
	for at := range tokens {
		all.Go(func() (err error) {
			tokens[at], _, err = i.instance().Issue(t.Context(), aSession())
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	one := i.instance()
	for _, token := range tokens {
		if _, err := one.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	if keys, err := i.store().Installation().TokenKeys(t.Context(), 10); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// TestReplacedKeys: what a stolen key signed is good for nothing, here at once, elsewhere
// within a minute; what is issued then is good.
func TestReplacedKeys(t *testing.T) {
	t.Parallel()
	i := install(t)
	here, there := i.instance(), i.instance()
	before := issue(t, here, aSession())
	if _, err := there.Verify(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := here.Replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := issue(t, here, aSession())
	if _, err := here.Verify(t.Context(), before); code(err) != people.CodeTokenInvalid {
		t.Errorf("here: %v", err)
	}
	i.watch.Pass(time.Minute)
	if _, err := there.Verify(t.Context(), before); code(err) != people.CodeTokenInvalid {
		t.Errorf("there: %v", err)
	}
	for _, in := range []*people.AccessTokens{here, there, i.instance()} {
		if _, err := in.Verify(t.Context(), after); err != nil {
			t.Error(err)
		}
	}
}

// counted counts the questions for keys.
type counted struct {
	table.Table
	queries int
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.queries++
	return c.Table.Query(ctx, q)
}

// TestUnknownKeysAreNoFlood: tokens of keys that are not there ask the table now and then.
func TestUnknownKeysAreNoFlood(t *testing.T) {
	t.Parallel()
	i := install(t)
	c := &counted{Table: i.table}
	i.table = c
	tokens := i.instance()
	good := issue(t, tokens, aSession()).Reveal()
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	c.queries = 0
	for range 600 {
		token := forged(other, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"at+jwt"}`, ulid.Make()), string(payload))
		if _, err := tokens.Verify(t.Context(), secret.New(token)); code(err) != people.CodeTokenInvalid {
			t.Fatal(err)
		}
		i.watch.Pass(100 * time.Millisecond)
	}
	if c.queries > 15 {
		t.Errorf("600 tokens in a minute asked %d times", c.queries)
	}
}

// TestPlantedKeys: whoever can write to the table, and has no master key, cannot sign, nor
// make an old key good again, nor keep others from signing.
func TestPlantedKeys(t *testing.T) {
	t.Parallel()
	i := install(t)
	issue(t, i.instance(), aSession())
	stored, err := i.store().Installation().TokenKeys(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	old := stored[0]
	if strings.Contains(fmt.Sprintf("%+v %#v", i.instance(), i.instance()), "PrivateKey{") {
		t.Error("keys print")
	}
	later := old // as if it had just been made
	later.Number, later.MadeAt, later.Until = 2, begin.Add(time.Hour), begin.Add(1000*time.Hour)
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	planted := store.TokenKey{Number: 3, ID: "planted", Private: public, MadeAt: begin, Until: begin.Add(1000 * time.Hour)}
	for _, k := range []store.TokenKey{later, planted} {
		if err := i.store().Installation().PutTokenKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	in := i.instance()
	if _, err := in.Verify(t.Context(), issue(t, in, aSession())); err != nil {
		t.Error(err)
	}
	if n := strings.Count(i.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("the log says of %d keys that they do not open: %s", n, i.log)
	}
	i.watch.Pass(31 * 24 * time.Hour)
	if _, err := in.Verify(t.Context(), issue(t, in, aSession())); err != nil {
		t.Errorf("the next key: %v", err)
	}
}

// TestKeysAreSealed: the private key is nowhere in the table, and outlives the master key
// by which it was sealed.
func TestKeysAreSealed(t *testing.T) {
	t.Parallel()
	i := install(t)
	token := issue(t, i.instance(), aSession())
	_, key := i.keyOf(t)
	for _, pk := range []string{"I#KEYS", "I#KEY"} {
		for item, err := range table.All(t.Context(), i.table, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{string(key.Seed()), base64.StdEncoding.EncodeToString(key.Seed()), base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(key.Seed())))} {
				if strings.Contains(string(item.Body), form) {
					t.Errorf("%s has the private key", item.Key)
				}
			}
		}
	}
	if err := i.keys.AddKey(); err != nil {
		t.Fatal(err)
	}
	rekeying := connect.Rekeying{Store: i.store(), Keys: i.keys}
	if n, err := rekeying.All(t.Context(), "acme", store.InstallationOwner); n != 1 || err != nil {
		t.Fatalf("%d data keys were wrapped anew, %v", n, err)
	}
	if n, err := i.keys.DropKeys(rekeying.Wrapped(t.Context(), "acme", store.InstallationOwner)); n != 1 || err != nil {
		t.Fatalf("%d master keys were dropped, %v", n, err)
	}
	if _, err := i.instance().Verify(t.Context(), token); err != nil {
		t.Errorf("with a new master key: %v", err)
	}
}

// TestKeysOutOfReach: when the table or the master key cannot be asked, nobody is refused as
// if the token were wrong, and nobody let in.
func TestKeysOutOfReach(t *testing.T) {
	t.Parallel()
	i := install(t)
	token := issue(t, i.instance(), aSession())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := i.instance().Verify(ctx, token); !errors.Is(err, context.Canceled) || !strings.HasPrefix(code(err), "?") {
		t.Errorf("%+v, %v", c, err)
	}
}
