package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/api/login"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// issuer is a server that has one session, each of whose refresh tokens is good once.
type issuer struct {
	*httptest.Server
	mu        sync.Mutex
	next      int // refresh token that is good
	refreshed int
	ended     bool
	lose      bool // the next answer to a refresh
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{next: 1}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	problem := func(status int, code string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "detail": "no: " + code})
	}
	switch {
	case r.URL.Path == "/v1/session/refresh":
		var in struct {
			Token string `json:"refresh_token"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch {
		case i.ended:
			problem(http.StatusUnauthorized, "session_ended")
		case in.Token == fmt.Sprintf("refresh-%d", i.next-1):
			problem(http.StatusConflict, "refresh_raced")
		case in.Token != fmt.Sprintf("refresh-%d", i.next):
			i.ended = true
			problem(http.StatusUnauthorized, "refresh_reused")
		default:
			i.next++
			i.refreshed++
			if i.lose {
				i.lose = false
				panic(http.ErrAbortHandler)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{
				"access_token": fmt.Sprintf("access-%d", i.next), "refresh_token": fmt.Sprintf("refresh-%d", i.next), "expires_at": time.Now().Add(15 * time.Minute),
			})
		}
	case i.ended || r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-%d", i.next):
		problem(http.StatusUnauthorized, "token_expired")
	default:
		_, _ = w.Write([]byte(`{"organization":"acme"}`))
	}
}

// kept is a store with the first tokens of the session, whose access token is good until a
// moment.
func (i *issuer) kept(t *testing.T, until time.Time) login.Store {
	t.Helper()
	store := login.Store{Dir: filepath.Join(t.TempDir(), "servers")}
	_, err := store.Put(t.Context(), login.Credentials{Server: i.URL, Access: secret.New("access-1"), Refresh: secret.New("refresh-1"), Until: until})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// command is one that runs by itself.
func (i *issuer) command(t *testing.T, store login.Store) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: i.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c.Use(&login.Session{Store: store, Client: c, Now: time.Now})
}

// TestManyCommandsRenewOnce: whichever comes first renews, and the others take what it got.
func TestManyCommandsRenewOnce(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	store := i.kept(t, time.Now().Add(-time.Minute))
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if _, err := i.command(t, store).Me(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if i.refreshed != 1 || i.ended {
		t.Errorf("renewed %d times, ended: %t", i.refreshed, i.ended)
	}
}

// TestRefusedTokenIsRenewed: a server may take back what is kept for good, its clock may be
// another, and its keys may be new.
func TestRefusedTokenIsRenewed(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	store := i.kept(t, time.Now().Add(time.Hour))
	if me, err := i.command(t, store).Me(t.Context()); err != nil || me.Organization != "acme" || i.refreshed != 0 {
		t.Fatalf("%+v, %v, renewed %d times", me, err, i.refreshed)
	}
	c := i.command(t, store)
	first, _, err := store.Get(t.Context(), i.URL)
	if err != nil {
		t.Fatal(err)
	}
	first.Access = secret.New("of another key")
	if _, err := store.Put(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Me(t.Context()); err != nil || i.refreshed != 1 {
		t.Errorf("%v, renewed %d times", err, i.refreshed)
	}
}

// TestLostRenewal: who does not get the answer has no token that is good, and is told to
// sign in; nothing is tried again that would end the session as a thief's.
func TestLostRenewal(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	store := i.kept(t, time.Now())
	i.lose = true
	c := i.command(t, store)
	if _, err := c.Me(t.Context()); err == nil {
		t.Fatal("the answer was lost")
	}
	_, err := c.Me(t.Context())
	var again *login.SignInError
	if !errors.As(err, &again) || !strings.Contains(err.Error(), "cloudarq login --server "+i.URL) || i.ended {
		t.Errorf("%v, ended: %t", err, i.ended)
	}
}

func TestEndedSession(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.ended = true
	for _, until := range []time.Time{time.Now().Add(time.Hour), time.Now()} {
		_, err := i.command(t, i.kept(t, until)).Me(t.Context())
		var again *login.SignInError
		if !errors.As(err, &again) || !strings.Contains(err.Error(), "session_ended") {
			t.Errorf("%v", err)
		}
	}
	_, err := i.command(t, login.Store{Dir: t.TempDir() + "/none"}).Me(t.Context())
	if !strings.Contains(fmt.Sprint(err), "nobody is signed in") {
		t.Errorf("%v", err)
	}
}

// ring is a keyring of the operating system's.
type ring struct {
	kept   map[string]string
	broken error
}

func (r *ring) Get(_ context.Context, server string) (string, error) {
	text, ok := r.kept[server]
	if r.broken == nil && !ok {
		return "", errors.New("not found")
	}
	return text, r.broken
}

func (r *ring) Set(_ context.Context, server, content string) error {
	if r.broken == nil {
		r.kept[server] = content
	}
	return r.broken
}

func (r *ring) Delete(_ context.Context, server string) error {
	delete(r.kept, server)
	return r.broken
}

// TestKeyring: what the keyring has no file has; where it breaks, a file has it and it is
// said why; and what only a broken one has is not found elsewhere.
func TestKeyring(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := &ring{kept: map[string]string{}}
	store := login.Store{Dir: filepath.Join(t.TempDir(), "servers"), Keyring: r}
	one := login.Credentials{Server: "https://one.example", APIToken: secret.New("sentinel-one")}
	two := login.Credentials{Server: "https://two.example", Access: secret.New("sentinel-two"), Refresh: secret.New("sentinel-three"), Until: time.Now().UTC()}
	for _, c := range []login.Credentials{one, two} {
		where, err := store.Put(ctx, c)
		if err != nil || !where.Keyring || where.Why != nil {
			t.Fatalf("%+v, %v", where, err)
		}
		got, where, err := store.Get(ctx, c.Server)
		if err != nil || !where.Keyring || got.APIToken.Reveal() != c.APIToken.Reveal() || got.Refresh.Reveal() != c.Refresh.Reveal() || !got.Until.Equal(c.Until) {
			t.Errorf("%+v, %+v, %v", got, where, err)
		}
	}
	if files := everyFile(t, store.Dir); strings.Contains(files, "sentinel") {
		t.Errorf("a file has what the keyring has: %s", files)
	}
	if all, err := store.Servers(); err != nil || fmt.Sprint(all) != "[https://one.example https://two.example]" {
		t.Errorf("%v, %v", all, err)
	}
	if err := store.Delete(ctx, one.Server); err != nil || len(r.kept) != 1 {
		t.Errorf("%v, %v", r.kept, err)
	}
	if _, _, err := store.Get(ctx, one.Server); !errors.Is(err, login.ErrNone) {
		t.Errorf("%v", err)
	}
	r.broken = errors.New("locked")
	if _, _, err := store.Get(ctx, two.Server); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("%v", err)
	}
	where, err := store.Put(ctx, two)
	if err != nil || where.Keyring || where.Why == nil {
		t.Fatalf("%+v, %v", where, err)
	}
	if got, _, err := store.Get(ctx, two.Server); err != nil || got.Access.Reveal() != "sentinel-two" {
		t.Errorf("%+v, %v", got, err)
	}
	store.Keyring = nil
	if got, _, err := store.Get(ctx, two.Server); err != nil || got.Access.Reveal() != "sentinel-two" {
		t.Errorf("%+v, %v", got, err)
	}
}

func everyFile(t *testing.T, dir string) (all string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

// TestFiles: nothing is read that others can read, or that is not CloudArq's.
func TestFiles(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const server = "https://one.example"
	for name, c := range map[string]struct {
		damage func(dir, file string) error
		says   string
	}{
		"a file that a group can read": {func(_, file string) error { return os.Chmod(file, 0o640) }, "others can read"},
		"a directory that others can":  {func(dir, _ string) error { return os.Chmod(dir, 0o755) }, "others can read"},
		"a link": {func(dir, file string) error {
			return errors.Join(os.Rename(file, filepath.Join(dir, "elsewhere")), os.Symlink("elsewhere", file))
		}, "is no file"},
		"half a file":   {func(_, file string) error { return os.Truncate(file, 20) }, "is not CloudArq's"},
		"a huge file":   {func(_, file string) error { return os.WriteFile(file, make([]byte, 1<<20), 0o600) }, "too large"},
		"nothing in it": {func(_, file string) error { return os.WriteFile(file, []byte(`{"server":"`+server+`"}`), 0o600) }, "no credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := login.Store{Dir: filepath.Join(t.TempDir(), "servers")}
			where, err := store.Put(ctx, login.Credentials{Server: server, APIToken: secret.New("x")})
			if err == nil {
				err = c.damage(store.Dir, where.File)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, _, err := store.Get(ctx, server); err == nil || !strings.Contains(err.Error(), c.says) || !got.APIToken.Empty() {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestBrowserAnswersOne: of all that may knock at the command's address one gets in, once.
func TestBrowserAnswersOne(t *testing.T) {
	t.Parallel()
	var verifier string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Code, Verifier string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		if verifier = in.Verifier; r.URL.Path != "/v1/sign-in/handover" || in.Code != "the code" || len(in.Verifier) != 43 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"a","refresh_token":"r","expires_at":"2026-12-01T00:00:00Z"}`))
	}))
	defer server.Close()
	c, err := client.New(client.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	got, err := login.Browser(t.Context(), c, func(page string) {
		u, err := url.Parse(page)
		if err != nil || !strings.HasPrefix(page, server.URL+"/authorize?") {
			t.Errorf("%s, %v", page, err)
			return
		}
		q := u.Query()
		knock := func(method, host, path string, query url.Values) int {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+q.Get("port")+path+"?"+query.Encode(), nil)
			if err != nil {
				t.Error(err)
				return 0
			}
			if host != "" {
				r.Host = host
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return 0
			}
			_ = answer.Body.Close()
			if csp := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
				t.Errorf("policy %q", csp)
			}
			return answer.StatusCode
		}
		right := url.Values{"code": {"the code"}, "state": {q.Get("state")}}
		for name, status := range map[string]int{
			"another path":    knock(http.MethodGet, "", "/", right),
			"another method":  knock(http.MethodPost, "", "/callback", right),
			"another host":    knock(http.MethodGet, "evil.example", "/callback", right),
			"no state":        knock(http.MethodGet, "", "/callback", url.Values{"code": {"the code"}}),
			"another state":   knock(http.MethodGet, "", "/callback", url.Values{"code": {"the code"}, "state": {q.Get("state")[1:] + "x"}}),
			"neither nor":     knock(http.MethodGet, "", "/callback", url.Values{"state": {q.Get("state")}}),
			"an icon of it":   knock(http.MethodGet, "", "/favicon.ico", nil),
			"what is too big": min(knock(http.MethodGet, "", "/"+strings.Repeat("x", 60_000), nil), http.StatusNotFound),
		} {
			if status != http.StatusNotFound {
				t.Errorf("%s is answered %d", name, status)
			}
		}
		if status := knock(http.MethodGet, "", "/callback", right); status != http.StatusOK {
			t.Errorf("the right one is answered %d", status)
		}
		if status := knock(http.MethodGet, "", "/callback", right); status != http.StatusGone {
			t.Errorf("once more is answered %d", status)
		}
	})
	if err != nil || got.Access.Reveal() != "a" || got.Server != server.URL || verifier == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestBrowserIsLeft at once, and whatever a server says.
func TestBrowserIsLeft(t *testing.T) {
	t.Parallel()
	c, err := client.New(client.Options{URL: "http://localhost:1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := login.Browser(ctx, c, func(string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
