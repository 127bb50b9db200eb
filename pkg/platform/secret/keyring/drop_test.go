package keyring_test

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// these are wrapped keys as whoever stores them lists them.
func these(wrapped ...[]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, w := range wrapped {
			if !yield(w, nil) {
				return
			}
		}
	}
}

// Master keys that wrap something stay, and so does the newest.
func TestDropKeys(t *testing.T) {
	for name, passphrase := range map[string]string{"plain": "", "passphrase": "fifteen letters"} {
		path := filepath.Join(t.TempDir(), "keyring")
		k := open(t, path, passphrase)
		var wrapped [][]byte
		for range 3 { // by the first, the second and the third master key
			d, err := k.Generate(t.Context(), owner)
			if err != nil {
				t.Fatal(err)
			}
			wrapped = append(wrapped, d.Wrapped)
			if err := k.AddKey(); err != nil {
				t.Fatal(err)
			}
		}
		all := k.Masters()
		for _, step := range []struct {
			used    [][]byte
			dropped int
			left    []string
		}{
			{wrapped, 0, all},
			{[][]byte{wrapped[1], []byte("nobody's"), nil}, 2, []string{all[1], all[3]}},
			{nil, 1, []string{all[3]}},
			{nil, 0, []string{all[3]}},
		} {
			dropped, err := k.DropKeys(these(step.used...))
			if err != nil || dropped != step.dropped || !slices.Equal(k.Masters(), step.left) {
				t.Errorf("%s: dropped %d, left %v, %v; want %d and %v", name, dropped, k.Masters(), err, step.dropped, step.left)
			}
			if again := open(t, path, passphrase).Masters(); !slices.Equal(again, step.left) {
				t.Errorf("%s: the file has %v, want %v", name, again, step.left)
			}
		}
		if _, err := open(t, path, passphrase).Unwrap(t.Context(), owner, wrapped[0]); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: by a dropped master key: %v, want ErrSealed", name, err)
		}
	}
}

// If not all data keys can be listed, nobody knows which master keys are needed.
func TestDropKeysThatCannotBeListed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := open(t, path, "")
	if err := k.AddKey(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	if n, err := k.DropKeys(func(yield func([]byte, error) bool) { yield(nil, mine) }); n != 0 || !errors.Is(err, mine) {
		t.Errorf("dropped %d, %v", n, err)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
}

// While somebody holds the keyring, whoever would change it waits; others hold it,
// too, and work goes on.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	here, there := open(t, path, ""), open(t, path, "")
	first, err := secret.Hold(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	second, err := secret.Hold(t.Context(), secret.Cached(there, 1, time.Hour, nil))
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 2)
	go func() { changed <- there.AddKey() }()
	go func() {
		_, err := there.DropKeys(these())
		changed <- err
	}()
	if _, err := here.Generate(t.Context(), owner); err != nil {
		t.Error(err)
	}
	first()
	select {
	case err := <-changed:
		t.Errorf("the keyring was changed while it was held: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	second()
	for range 2 {
		if err := <-changed; err != nil {
			t.Error(err)
		}
	}
}
