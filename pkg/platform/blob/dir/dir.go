// Package dir keeps blobs as files of a directory, for the command line. What
// is in it can be copied, listed and unpacked by ordinary tools.
package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Store is a blob.Store in a directory. Make one with Open.
type Store struct {
	root  *os.Root // confines every name, symbolic links included
	path  string
	hasty bool
}

var _ blob.Store = (*Store)(nil)

// Unfinished files are made here; no key can name this folder. Those of killed
// processes are removed once they have not grown for a day.
const (
	tempDir = ".unfinished"
	tempAge = 24 * time.Hour
)

// Open uses the directory at path, or makes it with mode 0700; files get 0600.
// It removes what killed processes left unfinished a day or more ago.
func Open(path string) (*Store, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open blob directory %s: %w", path, explain(err))
	}
	return s, nil
}

func open(path string) (*Store, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	s := &Store{root: root, path: path}
	if err := root.MkdirAll(tempDir, 0o700); err != nil {
		root.Close()
		return nil, err
	}
	if err := s.clean(time.Now().Add(-tempAge)); err != nil {
		root.Close()
		return nil, err
	}
	return s, nil
}

// Close lets go of the directory. Readers that are open stay usable.
func (s *Store) Close() error { return s.root.Close() }

// Hasty is the same directory for what can be made again: a power cut may lose what was put
// by it, or leave it empty or in part, and nobody waits for the disk.
func (s *Store) Hasty() *Store { return &Store{s.root, s.path, true} }

// clean removes unfinished files last written before the given time.
func (s *Store) clean(before time.Time) error {
	entries, err := fs.ReadDir(s.root.FS(), tempDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		st, err := e.Info()
		if err != nil || !st.Mode().IsRegular() || !st.ModTime().Before(before) {
			continue // gone meanwhile, or none of ours, or still young
		}
		if err := s.root.Remove(path.Join(tempDir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put implements blob.Store. What it stored survives a power cut once it returned, unless the
// Store is Hasty.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	err := blob.CheckKey(key)
	if err == nil {
		err = s.put(ctx, key, r)
	}
	if err != nil {
		return fmt.Errorf("put blob %s: %w", key, explain(err))
	}
	return nil
}

func (s *Store) put(ctx context.Context, key string, r io.Reader) error {
	temp := path.Join(tempDir, rand.Text())
	if err := s.fill(ctx, temp, r); err != nil {
		_ = s.root.Remove(temp)
		return err
	}
	if err := s.move(temp, key); err != nil {
		_ = s.root.Remove(temp)
		return err
	}
	return nil
}

func (s *Store) fill(ctx context.Context, name string, r io.Reader) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // a second time, when all went well
	if _, err := io.Copy(f, ctxReader{ctx, r}); err != nil {
		return err
	}
	// The kernel's own stamp is as coarse as its tick; tags need a finer one.
	now := time.Now()
	if err := s.root.Chtimes(name, now, now); err != nil {
		return err
	}
	if !s.hasty {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return f.Close()
}

// move gives the finished file its name. Delete, here or in another process, may
// remove a folder between any two steps, so they are tried again.
func (s *Store) move(temp, key string) error {
	for try := 0; ; try++ {
		err := s.root.MkdirAll(path.Dir(key), 0o700)
		if err == nil {
			err = s.root.Rename(temp, key)
		}
		if err == nil && s.hasty {
			return nil
		}
		if err == nil {
			return s.syncDirs(key)
		}
		raced := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)
		if !raced || try == 100 {
			return occupied(err)
		}
	}
}

// occupied explains that a file stands where a folder should be, or a folder
// where the file should be.
func occupied(err error) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: one key is the folder of another: %w", blob.ErrKey, err)
	}
	return err
}

// syncDirs makes the names on the way to key durable.
func (s *Store) syncDirs(key string) error {
	for d := path.Dir(key); ; d = path.Dir(d) {
		f, err := s.root.Open(d)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		err = f.Sync()
		f.Close()
		if err != nil && !unsyncable(err) {
			return err
		}
		if d == "." {
			return nil
		}
	}
}

// unsyncable says that this system or file system cannot sync folders.
func unsyncable(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission)
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	f, err := s.get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", key, explain(err))
	}
	return f, nil
}

func (s *Store) get(ctx context.Context, key string) (*os.File, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Asked first, because opening a pipe would wait for its other end.
	st, err := s.root.Lstat(key)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !st.Mode().IsRegular() {
		return nil, blob.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, blob.ErrNotFound
	}
	return f, err
}

// Delete implements blob.Store. It also removes the folders that became empty.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := blob.CheckKey(key)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = s.remove(key)
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, explain(err))
	}
	return nil
}

// DeleteMany implements blob.Store. It goes on after a file that cannot be
// removed, so that one does not keep all the others.
func (s *Store) DeleteMany(ctx context.Context, keys []string) error {
	if err := blob.CheckKeys(keys); err != nil {
		return fmt.Errorf("delete %d blobs: %w", len(keys), err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete %d blobs: %w", len(keys), err)
	}
	left, first := 0, error(nil)
	for _, key := range keys {
		err := ctx.Err()
		if err == nil {
			err = s.remove(key)
		}
		if err == nil {
			continue
		}
		if left++; first == nil {
			first = fmt.Errorf("blob %s: %w", key, explain(err))
		}
	}
	if first != nil {
		return fmt.Errorf("delete %d blobs, %d left: %w", len(keys), left, first)
	}
	return nil
}

func (s *Store) remove(key string) error {
	st, err := s.root.Lstat(key)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && !st.Mode().IsRegular():
		return nil // nothing that Put made
	case err != nil:
		return err
	}
	if err := s.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for d := path.Dir(key); d != "."; d = path.Dir(d) {
		if s.root.Remove(d) != nil {
			break // not empty
		}
	}
	return nil
}

// explain adds the sentinel that belongs to an error of the system.
func explain(err error) error {
	// EFBIG is a limit on the size of files: no more can be written either.
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return err
}

func tag(st fs.FileInfo) string {
	return strconv.FormatInt(st.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(st.Size(), 36)
}

// ctxReader ends with the context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
