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
	"maps"
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
}

type stored struct {
	content  []byte
	modified time.Time
}

var _ blob.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{blobs: map[string]stored{}} }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	content, err := read(ctx, key, r)
	if err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[key] = stored{content, time.Now().UTC()}
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
	for _, key := range slices.Sorted(maps.Keys(s.blobs)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
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
	delete(s.blobs, key)
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
		delete(s.blobs, key)
	}
	return nil
}
