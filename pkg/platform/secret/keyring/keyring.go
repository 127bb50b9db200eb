// Package keyring wraps data keys by master keys in a file of this machine, for
// the command line. The file has mode 0600, and its keys can be sealed by a
// passphrase besides. It may hold several master keys: the newest wraps, the
// others still open, so that keys can be changed while work goes on. Several
// processes may use the file at once.
package keyring

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/platform/lockfile"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// What can be the matter with the file; compare with errors.Is. None of them ever
// alters or removes it.
var (
	// ErrPassphrase says that the passphrase given, or none, is not the file's.
	ErrPassphrase = errors.New("this passphrase does not open the keyring")
	// ErrExposed says that others than the owner may read the file.
	ErrExposed = errors.New("others can read the keyring")
	// ErrDamaged says that the file is no keyring, or of a newer version.
	ErrDamaged = errors.New("not a keyring that this version can read")
)

// Options of Open; the zero value is good.
type Options struct {
	// Passphrase seals the master keys within the file, by argon2id; empty means
	// that they lie there plain. It is settled when the file is made.
	Passphrase secret.String
}

// Keyring is a secret.Wrapper. Make one with Open.
type Keyring struct {
	path       string
	passphrase cipher.AEAD // nil without one

	mu      sync.Mutex
	file    fs.FileInfo // of what masters were read from
	masters []master    // the newest last
}

// master is a master key: its cipher, not its bytes.
type master struct {
	id   string
	aead cipher.AEAD
}

var _ secret.Wrapper = (*Keyring)(nil)

// Open uses the keyring at path, or makes it, with one master key, and its
// directory with mode 0700.
func Open(path string, o Options) (*Keyring, error) {
	k := &Keyring{path: path}
	if err := k.open(o.Passphrase); err != nil {
		return nil, fmt.Errorf("open keyring %s: %w", path, err)
	}
	return k, nil
}

// Protected reports whether the keyring at path needs a passphrase, and whether
// there is one at all.
func Protected(path string) (protected, exists bool, err error) {
	c, _, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("open keyring %s: %w", path, err)
	}
	return c.Passphrase != nil, true, nil
}

func (k *Keyring) open(passphrase secret.String) error {
	c, info, err := read(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		c, info, err = create(k.path, passphrase)
	}
	if err != nil {
		return err
	}
	if k.passphrase, err = c.passphraseCipher(passphrase); err != nil {
		return err
	}
	return k.take(c, info)
}

// take makes the content of the file the keyring's.
func (k *Keyring) take(c content, info fs.FileInfo) error {
	masters := make([]master, len(c.Keys))
	for i, stored := range c.Keys {
		aead, err := stored.open(k.passphrase)
		if err != nil {
			return err
		}
		masters[i] = master{id: stored.ID, aead: aead}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.file, k.masters = info, masters
	return nil
}

// refresh reads the file again if another process has changed it.
func (k *Keyring) refresh() error {
	info, err := os.Stat(k.path)
	if err != nil {
		return err
	}
	k.mu.Lock()
	same := os.SameFile(info, k.file) && info.ModTime().Equal(k.file.ModTime())
	k.mu.Unlock()
	if same {
		return nil
	}
	return k.reload()
}

func (k *Keyring) reload() error {
	c, info, err := read(k.path)
	if err != nil {
		return err
	}
	return k.take(c, info)
}

// AddKey makes a new master key, which wraps from now on, also for processes that
// have the keyring open. Rewrap then moves what older ones have wrapped.
func (k *Keyring) AddKey() error {
	unlock, err := lockfile.Lock(context.Background(), lockOf(k.path))
	if err == nil {
		err = k.addKey()
		unlock()
	}
	if err != nil {
		return fmt.Errorf("add a key to keyring %s: %w", k.path, err)
	}
	return nil
}

func (k *Keyring) addKey() error {
	c, _, err := read(k.path)
	if err != nil {
		return err
	}
	if err := c.addKey(k.passphrase); err != nil {
		return err
	}
	info, err := write(k.path, c)
	if err != nil {
		return err
	}
	return k.take(c, info)
}

// Hold keeps all processes from adding and dropping master keys until release. See
// secret.Hold.
func (k *Keyring) Hold(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if release, err = lockfile.Share(ctx, lockOf(k.path)); err != nil {
		return nil, fmt.Errorf("hold keyring %s: %w", k.path, err)
	}
	return release, nil
}

// DropKeys drops the master keys that have wrapped none of the data keys given, and
// are not the newest, and says how many those are. The data keys are all that there
// are: they are asked for while nobody holds the keyring, so that none can be stored
// meanwhile. An error of theirs drops nothing.
func (k *Keyring) DropKeys(wrapped iter.Seq2[[]byte, error]) (dropped int, err error) {
	unlock, err := lockfile.Lock(context.Background(), lockOf(k.path))
	if err == nil {
		dropped, err = k.dropKeys(wrapped)
		unlock()
	}
	if err != nil {
		return 0, fmt.Errorf("drop keys of keyring %s: %w", k.path, err)
	}
	return dropped, nil
}

func (k *Keyring) dropKeys(wrapped iter.Seq2[[]byte, error]) (dropped int, err error) {
	used := map[string]bool{}
	for w, err := range wrapped {
		if err != nil {
			return 0, err
		}
		id, _, _ := headIn(w) // what is no wrapped key is nobody's
		used[id] = true
	}
	c, _, err := read(k.path)
	if err != nil {
		return 0, err
	}
	used[c.Keys[len(c.Keys)-1].ID] = true
	all := len(c.Keys)
	c.Keys = slices.DeleteFunc(c.Keys, func(s storedKey) bool { return !used[s.ID] })
	if len(c.Keys) == all {
		return 0, nil
	}
	info, err := write(k.path, c)
	if err != nil {
		return 0, err
	}
	return all - len(c.Keys), k.take(c, info)
}

// Generate implements secret.Wrapper.
func (k *Keyring) Generate(ctx context.Context, owner secret.Owner) (secret.DataKey, error) {
	d, err := k.generate(ctx, owner)
	if err != nil {
		return secret.DataKey{}, fmt.Errorf("generate a data key: %w", err)
	}
	return d, nil
}

func (k *Keyring) generate(ctx context.Context, owner secret.Owner) (secret.DataKey, error) {
	if err := check(ctx, owner); err != nil {
		return secret.DataKey{}, err
	}
	key := make([]byte, secret.KeySize)
	_, _ = rand.Read(key) // never fails
	wrapped, err := k.wrap(owner, key)
	if err != nil {
		return secret.DataKey{}, err
	}
	return secret.NewDataKey(wrapped, key)
}

// Unwrap implements secret.Wrapper.
func (k *Keyring) Unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) (secret.DataKey, error) {
	key, err := k.unwrap(ctx, owner, wrapped)
	if err != nil {
		return secret.DataKey{}, fmt.Errorf("unwrap a data key: %w", err)
	}
	return secret.NewDataKey(wrapped, key)
}

// Rewrap implements secret.Wrapper.
func (k *Keyring) Rewrap(ctx context.Context, owner secret.Owner, wrapped []byte) ([]byte, error) {
	key, err := k.unwrap(ctx, owner, wrapped)
	if err != nil {
		return nil, fmt.Errorf("rewrap a data key: %w", err)
	}
	defer clear(key)
	anew, err := k.wrap(owner, key)
	if err != nil {
		return nil, fmt.Errorf("rewrap a data key: %w", err)
	}
	return anew, nil
}

func check(ctx context.Context, owner secret.Owner) error {
	if err := owner.Check(); err != nil {
		return err
	}
	return ctx.Err()
}

// wrappedFormat is the first byte of a wrapped key. The master key's id follows,
// after its length, and then the key, sealed for the owner.
const wrappedFormat = 1

func (k *Keyring) wrap(owner secret.Owner, key []byte) ([]byte, error) {
	if err := k.refresh(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	newest := k.masters[len(k.masters)-1]
	k.mu.Unlock()
	head := headOf(newest.id)
	return newest.aead.Seal(head, nil, key, append(bytes.Clone(head), owner.Bytes()...)), nil
}

func headOf(id string) []byte {
	return append(binary.AppendUvarint([]byte{wrappedFormat}, uint64(len(id))), id...)
}

func (k *Keyring) unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) ([]byte, error) {
	if err := check(ctx, owner); err != nil {
		return nil, err
	}
	id, head, ok := headIn(wrapped)
	if !ok {
		return nil, secret.ErrSealed
	}
	m, ok := k.find(id)
	if !ok { // perhaps another process has just made it
		if err := k.reload(); err != nil {
			return nil, err
		}
		if m, ok = k.find(id); !ok {
			return nil, fmt.Errorf("%w: the keyring has no master key %q", secret.ErrSealed, id)
		}
	}
	key, err := m.aead.Open(nil, nil, wrapped[len(head):], append(bytes.Clone(head), owner.Bytes()...))
	if err != nil {
		return nil, secret.ErrSealed // the cipher's own error says no more
	}
	return key, nil
}

// headIn is the inverse of headOf, and the head itself.
func headIn(wrapped []byte) (id string, head []byte, ok bool) {
	if len(wrapped) == 0 || wrapped[0] != wrappedFormat {
		return "", nil, false
	}
	n, width := binary.Uvarint(wrapped[1:])
	if width <= 0 || n > uint64(len(wrapped)-1-width) {
		return "", nil, false
	}
	from := 1 + width
	to := from + int(n)
	return string(wrapped[from:to]), wrapped[:to], true
}

func (k *Keyring) find(id string) (master, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.masters {
		if m.id == id {
			return m, true
		}
	}
	return master{}, false
}

// lockOf is the file whose lock keeps other processes from changing a keyring. It is held
// for milliseconds.
func lockOf(path string) string { return path + ".lock" }
