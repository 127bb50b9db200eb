// Package login signs the command in to servers, keeps what lets it in, and renews that.
package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/lockfile"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Credentials let the command in to a server: an API token, or the tokens of a session.
type Credentials struct {
	Server   string // as client.Server has it
	APIToken secret.String

	Access  secret.String // good until Until
	Until   time.Time
	Refresh secret.String // good for one use
}

// Keyring keeps secrets as the operating system does. Its error says that there is none, or
// that it does not open.
type Keyring interface {
	Get(ctx context.Context, server string) (string, error)
	Set(ctx context.Context, server, content string) error
	Delete(ctx context.Context, server string) error
}

// Where credentials are kept.
type Where struct {
	File    string // with them, or the name of the server alone
	Keyring bool
	// Why there is no keyring, where one was tried.
	Why error
}

func (w Where) String() string {
	if w.Keyring {
		return "the keyring of the operating system"
	}
	return w.File + ", which you alone can read"
}

// ErrNone says that nobody is signed in to a server.
var ErrNone = errors.New("nobody is signed in")

// Store keeps the credentials of several servers: each in the keyring if there is one, else
// in a file of its own, of mode 0600 in a directory of mode 0700.
type Store struct {
	Dir     string
	Keyring Keyring // nil if there is none
}

// record is a file. Credentials in the keyring leave the server's name in it alone, so that
// it can be listed.
type record struct {
	Server      string   `json:"server"`
	InKeyring   bool     `json:"in_keyring,omitempty"`
	Credentials *content `json:"credentials,omitempty"`
}

// content is what is secret.
type content struct {
	APIToken string    `json:"api_token,omitempty"`
	Access   string    `json:"access_token,omitempty"`
	Until    time.Time `json:"expires_at,omitzero"`
	Refresh  string    `json:"refresh_token,omitempty"`
}

func (c Credentials) content() *content {
	return &content{c.APIToken.Reveal(), c.Access.Reveal(), c.Until, c.Refresh.Reveal()}
}

func (c content) of(server string) Credentials {
	text := func(s string) secret.String {
		if s == "" {
			return secret.String{}
		}
		return secret.New(s)
	}
	return Credentials{Server: server, APIToken: text(c.APIToken), Access: text(c.Access), Until: c.Until, Refresh: text(c.Refresh)}
}

// base is the file of a server without what ends its name.
func (s Store) base(server string) string {
	sum := sha256.Sum256([]byte(server))
	return filepath.Join(s.Dir, hex.EncodeToString(sum[:16]))
}

// maxFile bounds a file in bytes.
const maxFile = 64 << 10

// Get reads what lets in to a server: ErrNone if there is nothing.
func (s Store) Get(ctx context.Context, server string) (Credentials, Where, error) {
	file := s.base(server) + ".json"
	r, err := s.read(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && r.Server != server {
		return Credentials{}, Where{}, ErrNone
	}
	where := Where{File: file, Keyring: r.InKeyring}
	switch {
	case err != nil:
		return Credentials{}, where, err
	case !r.InKeyring && r.Credentials != nil:
		return r.Credentials.of(server), where, nil
	case !r.InKeyring:
		return Credentials{}, where, fmt.Errorf("%s has no credentials in it", file)
	case s.Keyring == nil:
		return Credentials{}, where, errors.New("the operating system's keyring, which has the credentials, is not there now")
	}
	text, err := s.Keyring.Get(ctx, server)
	if err != nil {
		return Credentials{}, where, fmt.Errorf("the operating system's keyring, which has the credentials, does not open: %w", err)
	}
	var c content
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Credentials{}, where, errors.New("what the operating system's keyring has of the server is not CloudArq's")
	}
	return c.of(server), where, nil
}

// read reads a file that nobody else can read.
func (s Store) read(file string) (r record, err error) {
	if err := owners(s.Dir, 0o077); err != nil {
		return r, err
	}
	if err := owners(file, 0o077); err != nil {
		return r, err
	}
	f, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if info.Size() > maxFile {
		return r, fmt.Errorf("%s is too large to be CloudArq's", file)
	}
	if err := json.NewDecoder(f).Decode(&r); err != nil {
		return r, fmt.Errorf("%s is not CloudArq's: %w", file, err)
	}
	return r, nil
}

// ExposedError says that others could read what lets in.
type ExposedError struct {
	Path string
	Mode fs.FileMode
}

// Error implements error.
func (e *ExposedError) Error() string {
	mode := "600"
	if e.Mode.IsDir() {
		mode = "700"
	}
	return fmt.Sprintf("others can read %s, so that its credentials may be known: its mode is %#o; end them on the server, say \"chmod %s %s\", and sign in again", e.Path, e.Mode.Perm(), mode, e.Path)
}

// owners refuses what others than its owner can get at.
func owners(path string, others fs.FileMode) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case runtime.GOOS == "windows": // where modes say nothing, and profiles are one's own
		return nil
	case !info.IsDir() && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", path)
	case info.Mode().Perm()&others != 0:
		return &ExposedError{path, info.Mode()}
	}
	return nil
}

// Put keeps credentials in the place of what there was.
func (s Store) Put(ctx context.Context, c Credentials) (Where, error) {
	file := s.base(c.Server) + ".json"
	where := Where{File: file}
	r := record{Server: c.Server, Credentials: c.content()}
	if s.Keyring != nil {
		text, err := json.Marshal(r.Credentials) //nolint:gosec // for the keyring, whose business that is
		if err == nil {
			err = s.Keyring.Set(ctx, c.Server, string(text))
		}
		if where.Why = err; err == nil {
			where.Keyring, r.InKeyring, r.Credentials = true, true, nil
		}
	}
	return where, s.write(file, r)
}

// write replaces a file as a whole.
func (s Store) write(file string, r record) (err error) {
	if err := s.make(); err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	temp, err := os.CreateTemp(s.Dir, ".new-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("keep credentials: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
			err = fmt.Errorf("keep credentials: %w", err)
		}
	}()
	_, err = temp.Write(append(text, '\n'))
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

func (s Store) make() error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("keep credentials: %w", err)
	}
	return owners(s.Dir, 0o077)
}

// Delete forgets what lets in to a server. It is no error if there is nothing.
func (s Store) Delete(ctx context.Context, server string) error {
	file := s.base(server) + ".json"
	r, err := s.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var failed error
	if err == nil && r.InKeyring && s.Keyring != nil {
		failed = s.Keyring.Delete(ctx, server)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		failed = errors.Join(failed, err)
	}
	return failed
}

// Servers lists those that somebody signed in to.
func (s Store) Servers() (all []string, err error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the servers: %w", err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		r, err := s.read(filepath.Join(s.Dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, r.Server)
	}
	slices.Sort(all)
	return all, nil
}

// Alone runs work while no other process renews or forgets the credentials of a server.
func (s Store) Alone(ctx context.Context, server string, work func() error) error {
	if err := s.make(); err != nil {
		return err
	}
	unlock, err := lockfile.Lock(ctx, s.base(server)+".lock")
	if err != nil {
		return fmt.Errorf("wait for another command that signs in to %s: %w", server, err)
	}
	defer unlock()
	return work()
}
