// Package memblob keeps blobs in the memory of the process, for benches and tests.
package memblob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Store is a blob.Store. Make one with New.
type Store struct {
	mu    sync.RWMutex
	blobs map[string]stored
	rooms map[string]map[string]bool // keys by how they begin, as far as room says
}

// room is how a key or a prefix begins: its first three parts, which tell one connection's
// blobs from another's; false if it has less.
func room(key string) (string, bool) {
	at := 0
	for range 3 {
		next := strings.IndexByte(key[at:], '/')
		if next < 0 {
			return "", false
		}
		at += next + 1
	}
	return key[:at], true
}

// remove forgets a blob; s.mu is held.
func (s *Store) remove(key string) {
	delete(s.blobs, key)
	if name, ok := room(key); ok {
		delete(s.rooms[name], key)
	}
}

// keys are those that begin with a prefix, in order; s.mu is held.
func (s *Store) keys(prefix string) []string {
	begins := func(key string) bool { return strings.HasPrefix(key, prefix) }
	var all []string
	if name, ok := room(prefix); ok {
		for key := range s.rooms[name] {
			if begins(key) {
				all = append(all, key)
			}
		}
	} else {
		for key := range s.blobs {
			if begins(key) {
				all = append(all, key)
			}
		}
	}
	slices.Sort(all)
	return all
}

type stored struct {
	content  []byte
	modified time.Time
}

var _ blob.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{blobs: map[string]stored{}, rooms: map[string]map[string]bool{}} }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	content, err := read(ctx, key, r)
	if err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[key] = stored{content, time.Now().UTC()}
	if name, ok := room(key); ok {
		if s.rooms[name] == nil {
			s.rooms[name] = map[string]bool{}
		}
		s.rooms[name][key] = true
	}
	return nil
}

func read(ctx context.Context, key string, r io.Reader) ([]byte, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return bytes.Clone(content.Bytes()), nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	err := blob.CheckKey(key)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if found, ok := s.blobs[key]; ok {
			return io.NopCloser(bytes.NewReader(found.content)), nil
		}
		err = blob.ErrNotFound
	}
	return nil, fmt.Errorf("get blob %s: %w", key, err)
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		err := blob.CheckPrefix(prefix)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(blob.Info{}, fmt.Errorf("list blobs %s*: %w", prefix, err))
			return
		}
		for _, info := range s.infos(prefix) {
			if !yield(info, nil) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(blob.Info{}, fmt.Errorf("list blobs %s*: %w", prefix, err))
				return
			}
		}
	}
}

func (s *Store) infos(prefix string) []blob.Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []blob.Info
	for _, key := range s.keys(prefix) {
		found := s.blobs[key]
		sum := sha256.Sum256(found.content)
		all = append(all, blob.Info{Key: key, Size: int64(len(found.content)), Modified: found.modified, Tag: hex.EncodeToString(sum[:])})
	}
	return all
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := blob.CheckKey(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key)
	return nil
}

// DeleteMany implements blob.Store.
func (s *Store) DeleteMany(ctx context.Context, keys []string) error {
	err := blob.CheckKeys(keys)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("delete %d blobs: %w", len(keys), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.remove(key)
	}
	return nil
}
