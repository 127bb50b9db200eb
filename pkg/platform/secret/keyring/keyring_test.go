package keyring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/secrettest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	owner = secret.Owner{Organization: "local", Record: "r"}
	place = secret.Binding{Organization: "local", Record: "r", Field: "f"}
)

func open(t testing.TB, path string, passphrase string) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(path, keyring.Options{Passphrase: secret.New(passphrase)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestConformance(t *testing.T) {
	for name, passphrase := range map[string]string{"plain": "", "passphrase": "correct horse é"} {
		t.Run(name, func(t *testing.T) {
			secrettest.Run(t, func(t testing.TB) secrettest.Driver {
				path := filepath.Join(t.TempDir(), "keyring.json")
				if passphrase != "" {
					if err := keyring.MakeCheap(path, secret.New(passphrase)); err != nil {
						t.Fatal(err)
					}
				}
				k := open(t, path, passphrase)
				return secrettest.Driver{
					Wrapper: k,
					Other:   open(t, filepath.Join(t.TempDir(), "other.json"), ""),
					Rekey: func() {
						if err := k.AddKey(); err != nil {
							t.Error(err)
						}
					},
					Reopen: func() secret.Wrapper { return open(t, path, passphrase) },
				}
			})
		})
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "keyring.json")
	k := open(t, path, "")
	if err := k.AddKey(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Dir(path), func(p string, e fs.DirEntry, err error) error {
		info, infoErr := e.Info()
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if infoErr != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", p, info.Mode(), want)
		}
		if strings.HasSuffix(p, ".new") {
			t.Errorf("%s was left behind", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOthersMayNotRead(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o666, 0o601} {
		path := filepath.Join(t.TempDir(), "keyring.json")
		k := open(t, path, "")
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(path, keyring.Options{}); !errors.Is(err, keyring.ErrExposed) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v, want ErrExposed and what to do", mode, err)
		}
		if err := k.AddKey(); !errors.Is(err, keyring.ErrExposed) {
			t.Errorf("mode %v: add a key: %v, want ErrExposed", mode, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("mode %v: the file has changed, %v", mode, err)
		}
	}
}

func TestPassphrase(t *testing.T) {
	protected, plain := filepath.Join(t.TempDir(), "protected.json"), filepath.Join(t.TempDir(), "plain.json")
	k := open(t, protected, "the right passphrase")
	open(t, plain, "")
	d, err := k.Generate(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, protected, "the right passphrase").Unwrap(t.Context(), owner, d.Wrapped); err != nil {
		t.Errorf("the right one: %v", err)
	}
	for name, c := range map[string]struct{ path, passphrase, want string }{
		"wrong":      {protected, "wrong", "open keyring %s: this passphrase does not open the keyring"},
		"none given": {protected, "", "open keyring %s: this passphrase does not open the keyring: it needs one, and none was given"},
		"not wanted": {plain, "the right passphrase", "open keyring %s: this passphrase does not open the keyring: it was made without one"},
	} {
		_, err := keyring.Open(c.path, keyring.Options{Passphrase: secret.New(c.passphrase)})
		if want := fmt.Sprintf(c.want, c.path); !errors.Is(err, keyring.ErrPassphrase) || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	var file struct {
		Passphrase struct {
			KDF    string
			Memory int `json:"memory_kib"`
			Salt   []byte
		}
		Keys []struct{ Key []byte }
	}
	raw, err := os.ReadFile(protected)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if file.Passphrase.KDF != "argon2id" || file.Passphrase.Memory < 19<<10 || len(file.Passphrase.Salt) < 16 || len(file.Keys[0].Key) != 12+32+16 {
		t.Errorf("the file has %+v", file.Passphrase)
	}
}

func TestProtected(t *testing.T) {
	for name, c := range map[string]struct {
		make              func(path string)
		protected, exists bool
	}{
		"none":       {func(string) {}, false, false},
		"plain":      {func(path string) { open(t, path, "") }, false, true},
		"passphrase": {func(path string) { open(t, path, "fifteen letters") }, true, true},
	} {
		path := filepath.Join(t.TempDir(), "keyring")
		c.make(path)
		if protected, exists, err := keyring.Protected(path); protected != c.protected || exists != c.exists || err != nil {
			t.Errorf("%s: protected %v, exists %v, %v", name, protected, exists, err)
		}
	}
}

func TestDamaged(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	argon := `"passphrase":{"kdf":"argon2id","time":1,"memory_kib":%s,"threads":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA=="},`
	for name, text := range map[string]string{
		"empty":          "",
		"something else": "[1,2]",
		"cut":            `{"format":"cloudarq keyring","version":1,"keys":[{"id":"a","key":"AA`,
		"other format":   `{"format":"x","version":1,"keys":[{"id":"a","key":"` + key + `"}]}`,
		"newer":          `{"format":"cloudarq keyring","version":2,"keys":[{"id":"a","key":"` + key + `"}]}`,
		"unknown part":   `{"format":"cloudarq keyring","version":1,"more":1,"keys":[{"id":"a","key":"` + key + `"}]}`,
		"no keys":        `{"format":"cloudarq keyring","version":1,"keys":[]}`,
		"short key":      `{"format":"cloudarq keyring","version":1,"keys":[{"id":"a","key":"AAAAAAAAAAAAAAAAAAAAAA=="}]}`,
		"greedy":         `{"format":"cloudarq keyring","version":1,` + fmt.Sprintf(argon, "4294967295") + `"keys":[{"id":"a","key":"` + key + `"}]}`,
		"idle":           `{"format":"cloudarq keyring","version":1,` + fmt.Sprintf(argon, "0") + `"keys":[{"id":"a","key":"` + key + `"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "keyring.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var o keyring.Options
		if strings.Contains(text, "passphrase") {
			o.Passphrase = secret.New("x")
		}
		if _, err := keyring.Open(path, o); !errors.Is(err, keyring.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%s: the file is now %q, %v", name, after, err)
		}
	}
}

// Whoever comes first makes the key; nobody's is lost.
func TestSeveralMakeItAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "keyring.json")
	wrapped := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range wrapped {
		wg.Go(func() {
			k, err := keyring.Open(path, keyring.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := k.AddKey(); err != nil {
				t.Error(err)
			}
			d, err := k.Generate(t.Context(), owner)
			if err != nil {
				t.Error(err)
			}
			wrapped[i] = d.Wrapped
		})
	}
	wg.Wait()
	k := open(t, path, "")
	if n := len(k.Masters()); n != 1+len(wrapped) {
		t.Errorf("%d master keys, want the first and one of each", n)
	}
	for i, w := range wrapped {
		if _, err := k.Unwrap(t.Context(), owner, w); err != nil {
			t.Errorf("of %d: %v", i, err)
		}
	}
}

// The newest key wraps, also in a process that had the keyring open before.
func TestNewestWraps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	here, there := open(t, path, ""), open(t, path, "")
	if err := there.AddKey(); err != nil {
		t.Fatal(err)
	}
	d, err := here.Generate(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	ids := there.Masters()
	if len(ids) != 2 || !bytes.Contains(d.Wrapped, []byte(ids[1])) {
		t.Errorf("not wrapped by the newest of %v", ids)
	}
	anew, err := there.Rewrap(t.Context(), owner, d.Wrapped)
	if err != nil || !bytes.Contains(anew, []byte(ids[1])) {
		t.Errorf("not rewrapped by the newest of %v, %v", ids, err)
	}
}

// A keyring that disappears is not made anew: what it sealed would be lost.
func TestFileIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	k := open(t, path, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Generate(t.Context(), owner); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("generate: %v, want fs.ErrNotExist", err)
	}
	if err := k.AddKey(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("add a key: %v, want fs.ErrNotExist", err)
	}
}

// Neither the keyring nor what it made prints a key, in whatever it stands.
func TestNothingPrints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	k := open(t, path, "")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Keys []struct{ Key []byte } }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	master := file.Keys[0].Key
	d, err := k.Generate(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		k *keyring.Keyring
		d secret.DataKey
	}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", k, holder{k, d}, &holder{k, d})
	}
	for _, form := range []string{"%s", "%x", "%d", "%v", "%q"} {
		if text := strings.Trim(fmt.Sprintf(form, master), "[]"); strings.Contains(out.String(), text) {
			t.Errorf("the master key was printed:\n%s", out.String())
		}
	}
	if strings.Contains(out.String(), base64.StdEncoding.EncodeToString(master)) {
		t.Error("the master key was printed as base64")
	}
	if _, err := d.Seal(place, secret.New("x")); err != nil {
		t.Error(err)
	}
}

// TestShortPassphrase: a keyring is not made with a passphrase that is soon found, and one
// that was made before there was a bound still opens.
func TestShortPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	for _, word := range []string{"x", "fourteen signs", strings.Repeat("é", keyring.MinPassphrase-1)} {
		if _, err := keyring.Open(path, keyring.Options{Passphrase: secret.New(word)}); !errors.Is(err, keyring.ErrShort) {
			t.Errorf("%q: %v", word, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: a keyring was made, %v", word, err)
		}
	}
	open(t, path, strings.Repeat("é", keyring.MinPassphrase))
}
