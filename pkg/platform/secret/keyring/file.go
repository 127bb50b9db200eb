package keyring

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/cloudarq/cloudarq/pkg/platform/lockfile"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// The marks of a file that is ours.
const (
	format  = "cloudarq keyring"
	version = 1
)

// maxFile is far more than a keyring has: a file that large is something else.
const maxFile = 1 << 20

// content is the file: JSON, whose byte slices are base64.
type content struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Passphrase *derivation `json:"passphrase,omitempty"`
	Keys       []storedKey `json:"keys"` // the newest last
}

// storedKey is a master key: plain, or sealed for its id by the passphrase.
type storedKey struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// open is the cipher of the master key.
func (s storedKey) open(passphrase cipher.AEAD) (cipher.AEAD, error) {
	key := bytes.Clone(s.Key)
	if passphrase != nil {
		var err error
		if key, err = passphrase.Open(nil, nil, s.Key, []byte(s.ID)); err != nil {
			return nil, ErrPassphrase
		}
	}
	defer clear(key)
	if len(key) != secret.KeySize {
		return nil, fmt.Errorf("%w: key %s has %d bytes, not %d", ErrDamaged, s.ID, len(key), secret.KeySize)
	}
	return secret.NewCipher(key)
}

// addKey appends a new master key.
func (c *content) addKey(passphrase cipher.AEAD) error {
	key := make([]byte, secret.KeySize)
	_, _ = rand.Read(key) // never fails
	stored := storedKey{ID: rand.Text(), Key: key}
	if passphrase != nil {
		stored.Key = passphrase.Seal(nil, nil, key, []byte(stored.ID))
		clear(key)
	}
	c.Keys = append(c.Keys, stored)
	return nil
}

// read reads the file, unless others could too.
func read(path string) (content, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return content{}, nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened, whatever the name stands for by now
	if err != nil {
		return content{}, nil, err
	}
	if err := private(path, info); err != nil {
		return content{}, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return content{}, nil, err
	}
	defer clear(raw)
	var c content
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return content{}, nil, fmt.Errorf("%w: no JSON of a keyring", ErrDamaged) // the error might quote a key
	}
	if c.Format != format || c.Version != version || len(c.Keys) == 0 {
		return content{}, nil, fmt.Errorf("%w: format %q, version %d, %d keys", ErrDamaged, c.Format, c.Version, len(c.Keys))
	}
	return c, info, nil
}

// private returns ErrExposed if anybody but the owner may do anything with the
// file. Windows has other means than these bits.
func private(path string, info fs.FileInfo) error {
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return fmt.Errorf("%w: its mode is %#o; say \"chmod 600 %s\", and if anybody may have read it, rekey",
		ErrExposed, info.Mode().Perm(), path)
}

// MinPassphrase is how many characters the passphrase of a new keyring has at least: whoever
// has a copy of the keyring can try as many as he likes.
// https://pages.nist.gov/800-63-4/sp800-63b.html asks for 15 of what is the only factor.
const MinPassphrase = 15

// ErrShort says that the passphrase of a new keyring has fewer than MinPassphrase
// characters.
var ErrShort = fmt.Errorf("the passphrase of a new keyring needs at least %d characters", MinPassphrase)

// create makes the file, unless another process was faster, and reads it.
func create(path string, passphrase secret.String) (content, fs.FileInfo, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return content{}, nil, err
	}
	unlock, err := lockfile.Lock(context.Background(), lockOf(path))
	if err != nil {
		return content{}, nil, err
	}
	defer unlock()
	if c, info, err := read(path); !errors.Is(err, fs.ErrNotExist) {
		return c, info, err
	}
	c := content{Format: format, Version: version}
	if !passphrase.Empty() {
		if len([]rune(passphrase.Reveal())) < MinPassphrase {
			return content{}, nil, ErrShort
		}
		c.Passphrase = newDerivation()
	}
	aead, err := c.passphraseCipher(passphrase)
	if err != nil {
		return content{}, nil, err
	}
	if err := c.addKey(aead); err != nil {
		return content{}, nil, err
	}
	info, err := write(path, c)
	return c, info, err
}

// write puts the content in place of the file: all of it or nothing, also when
// the power fails.
func write(path string, c content) (fs.FileInfo, error) {
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	temp := path + "." + rand.Text() + ".new"
	info, err := fill(temp, append(raw, '\n'))
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return nil, err
	}
	return info, syncDir(filepath.Dir(path))
}

func fill(path string, raw []byte) (fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close() // a second time, when all went well
	if _, err := f.Write(raw); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return info, f.Close()
}

// syncDir makes the file's new name durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
