package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/local"
)

// TestStateIsItsOwnersAlone also where it was not: others read nothing of it afterwards,
// and where they may write nothing is kept.
func TestStateIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	path := t.TempDir()
	state, run := open(t, path)
	if _, err := state.Audit(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	db, blobs := filepath.Join(path, "state.db"), filepath.Join(path, "blobs")
	for file, mode := range map[string]os.FileMode{db: 0o666, blobs: 0o755, path: 0o755} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path)
	for file, want := range map[string]os.FileMode{db: 0o600, blobs: 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %#o", file, info.Mode(), err, want)
		}
	}
	shared := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil { //nolint:gosec // that is what is refused
		t.Fatal(err)
	}
	var input *local.InputError
	if _, err := local.Open(t.Context(), shared, state.Catalog); !errors.As(err, &input) {
		t.Errorf("a directory in which all may write: %v", err)
	}
}
