// Package blob keeps evidence: large, immutable things under path-like keys. It
// is what S3 and a directory both do well; drivers live in sub-packages, and
// blobtest holds the suite that each one passes.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// What a driver answers; compare with errors.Is. Anything else is the engine's.
var (
	// ErrNotFound says that nothing is stored under the key.
	ErrNotFound = errors.New("not found")
	// ErrFull says that no space is left; nothing was stored.
	ErrFull = errors.New("no space left")
	// ErrOther says that something else is stored where a text was to be put once.
	ErrOther = errors.New("something else is stored there")
	// ErrKey says that a key can never be accepted: an error of the program.
	ErrKey = errors.New("invalid key")
)

// Store is a place for blobs. All methods are safe for concurrent use, also by
// several processes.
type Store interface {
	// Put stores all of r under key, over what was there. It is atomic: others
	// see the old content or the new one, never a part, and after any error
	// (r's own, which is wrapped, included) still the old one.
	Put(ctx context.Context, key string, r io.Reader) error

	// Get opens what is stored under key, or returns ErrNotFound. The reader
	// gives the content as it was when opened; the caller closes it.
	Get(ctx context.Context, key string) (io.ReadCloser, error)

	// List yields what is stored under keys that begin with prefix (a string,
	// not a folder: "a/b" also finds "a/bc"), by key in byte order. An error is
	// yielded last, with a zero Info. What is put or deleted meanwhile may be
	// seen or not.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Delete removes what is stored under key. Deleting what does not exist is
	// no error.
	Delete(ctx context.Context, key string) error

	// DeleteMany removes what is stored under all keys. Keys under which there
	// is nothing are no error. Invalid keys are refused before anything is
	// deleted. After any other error some may be gone, and the error names one
	// that may not be; repeat the whole call.
	DeleteMany(ctx context.Context, keys []string) error
}

// Info describes a stored blob.
type Info struct {
	Key      string
	Size     int64     // bytes
	Modified time.Time // when it was put, UTC
	// Tag changes whenever other content is put, so that caches know; it says
	// nothing else and is not comparable between stores.
	Tag string
}

// Limits of keys, which every driver enforces.
const (
	MaxKey     = 1000 // bytes
	MaxSegment = 200  // bytes between two slashes
)

// CheckKey returns ErrKey with the reason unless key is one or more segments
// joined by "/". Segments are of printable UTF-8, are not empty, do not begin
// with "." and contain neither backslash nor colon. A key must not be the folder
// of another ("a" and "a/b"), and keys must differ in more than case.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("%w: %d bytes, not 1-%d", ErrKey, len(key), MaxKey)
	}
	if err := checkText(key); err != nil {
		return err
	}
	for s := range strings.SplitSeq(key, "/") {
		switch {
		case s == "":
			return fmt.Errorf("%w: %q has an empty segment", ErrKey, key)
		case len(s) > MaxSegment:
			return fmt.Errorf("%w: %q has a segment of more than %d bytes", ErrKey, key, MaxSegment)
		case s[0] == '.':
			return fmt.Errorf("%w: %q has a segment that begins with a dot", ErrKey, key)
		}
	}
	return nil
}

// CheckKeys is the check that DeleteMany makes before it deletes.
func CheckKeys(keys []string) error {
	for _, key := range keys {
		if err := CheckKey(key); err != nil {
			return err
		}
	}
	return nil
}

// deletedAtOnce is how many keys DeleteAll gives to DeleteMany.
const deletedAtOnce = 1000

// DeleteAll removes what is stored under keys that begin with prefix, of which there are few
// enough for one call. After an error some may be gone; repeat the whole call.
func DeleteAll(ctx context.Context, s Store, prefix string) error {
	var keys []string
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if keys = append(keys, info.Key); len(keys) == deletedAtOnce {
			if err := s.DeleteMany(ctx, keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.DeleteMany(ctx, keys)
}

// CheckPrefix returns ErrKey with the reason if no key can begin with prefix.
// The empty prefix begins every key.
func CheckPrefix(prefix string) error {
	if prefix == "" || CheckKey(prefix) == nil {
		return nil
	}
	// A prefix may end anywhere, also after a slash.
	return CheckKey(prefix + "x")
}

func checkText(key string) error {
	if !utf8.ValidString(key) {
		return fmt.Errorf("%w: %q is not UTF-8", ErrKey, key)
	}
	for _, r := range key {
		if r < ' ' || r == 0x7f || r == '\\' || r == ':' {
			return fmt.Errorf("%w: %q contains %q", ErrKey, key, r)
		}
	}
	return nil
}
