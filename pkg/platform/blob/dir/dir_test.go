//go:build linux

package dir_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/blobtest"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("CLOUDARQ_TEST_BLOBS"); path != "" {
		writeEndlessly(path)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string) *dir.Store {
	t.Helper()
	s, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t testing.TB) blob.Store { return open(t, filepath.Join(t.TempDir(), "x", "blobs")) })
	t.Run("hasty", func(t *testing.T) {
		blobtest.Run(t, func(t testing.TB) blob.Store { return open(t, filepath.Join(t.TempDir(), "x", "blobs")).Hasty() })
	})
}

func keys(t *testing.T, s blob.Store) (out []string) {
	t.Helper()
	for i, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, i.Key)
	}
	return out
}

func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	root := filepath.Join(t.TempDir(), "x", "blobs")
	s := open(t, root)
	if err := s.Put(t.Context(), "a/b/c", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Dir(root), func(p string, e fs.DirEntry, err error) error {
		st, _ := e.Info()
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if st.Mode().Perm() != want {
			t.Errorf("%s has mode %v", p, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a/b/c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty folders stay: %v", err)
	}
}

func TestFolderConflict(t *testing.T) {
	s := open(t, t.TempDir())
	for _, k := range []string{"a/b", "c"} {
		if err := s.Put(t.Context(), k, strings.NewReader(k)); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []string{"a", "c/d", "c/d/e"} {
		if err := s.Put(t.Context(), k, strings.NewReader("x")); !errors.Is(err, blob.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", k, err)
		}
	}
	if got := strings.Join(keys(t, s), " "); got != "a/b c" {
		t.Errorf("holds %s", got)
	}
}

// Links, pipes and other people's files are neither followed nor removed.
func TestStrangers(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	s := open(t, root)
	secret := filepath.Join(outside, "secret")
	for _, err := range []error{
		os.WriteFile(secret, []byte("s"), 0o600),
		os.Symlink(secret, filepath.Join(root, "link")),
		os.Symlink(outside, filepath.Join(root, "folder")),
		syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600),
		os.WriteFile(filepath.Join(root, ".DS_Store"), nil, 0o600),
		os.WriteFile(filepath.Join(root, "a:b"), nil, 0o600),
		os.Mkdir(filepath.Join(root, "lost+found"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(t, s); got != nil {
		t.Errorf("lists %q", got)
	}
	for _, k := range []string{"link", "pipe", "lost+found"} {
		if _, err := s.Get(t.Context(), k); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get %s: %v", k, err)
		}
		if err := s.Delete(t.Context(), k); err != nil {
			t.Errorf("delete %s: %v", k, err)
		}
	}
	if _, err := s.Get(t.Context(), "folder/secret"); err == nil {
		t.Error("get through a link")
	}
	if err := s.Put(t.Context(), "folder/new", strings.NewReader("x")); err == nil {
		t.Error("put through a link")
	}
	_ = s.Delete(t.Context(), "folder/secret")
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
}

func unfinished(t *testing.T, root string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, ".unfinished", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A process killed while it writes leaves whole blobs and what Open clears a day later.
func TestKilled(t *testing.T) {
	root := t.TempDir()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "CLOUDARQ_TEST_BLOBS="+root)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	_ = c.Process.Kill()
	_ = c.Wait()
	s := open(t, root)
	n := 0
	for i, err := range s.List(t.Context(), "") {
		if n++; err != nil || i.Size != endlessSize {
			t.Fatalf("%+v, %v", i, err)
		}
	}
	left := unfinished(t, root)
	if n == 0 || len(left) == 0 {
		t.Fatalf("%d blobs, %d unfinished files", n, len(left))
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(left[0], old, old); err != nil {
		t.Fatal(err)
	}
	open(t, root)
	if now := unfinished(t, root); len(now) != len(left)-1 {
		t.Errorf("%d unfinished files of %d, want the young ones only", len(now), len(left))
	}
}

const endlessSize = 8 << 20

func writeEndlessly(path string) {
	s, err := dir.Open(path)
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		r := &slowReader{left: endlessSize}
		if err := s.Put(context.Background(), "k"+string(rune('a'+i%20)), r); err != nil {
			panic(err)
		}
	}
}

// slowReader gives its bytes in pieces, so that a kill mostly meets a write.
type slowReader struct{ left int }

func (r *slowReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(50 * time.Microsecond)
	n := min(len(p), r.left)
	r.left -= n
	return n, nil
}

// On a disk of 1 MB; needs root, as in CI's container.
func TestFull(t *testing.T) {
	root := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("no mount: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(root, 0) })
	s := open(t, root)
	if err := s.Put(t.Context(), "k", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "k", strings.NewReader(strings.Repeat("x", 2<<20))); !errors.Is(err, blob.ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	if left := unfinished(t, root); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	if err := s.Put(t.Context(), "k", strings.NewReader("new")); err != nil {
		t.Errorf("small enough again: %v", err)
	}
}
