package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// own makes what is kept in a state directory readable by its owner alone, also where it
// came from elsewhere with a wider mode: a restored copy, say. A directory in which others
// may write is refused, since they could put files of theirs in the place of these.
func own(path string) error {
	if runtime.GOOS == "windows" { // where modes say nothing
		return nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it will be made
	}
	if err != nil {
		return fmt.Errorf("look at the state directory: %w", err)
	}
	if mode := info.Mode(); mode.IsDir() && mode.Perm()&0o022 != 0 {
		return &InputError{Message: fmt.Sprintf("others may write in the state directory %s: its mode is %#o; say \"chmod go-w %s\", or name another with --data-dir", path, mode.Perm(), path)}
	}
	for name, mode := range map[string]fs.FileMode{"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600, "blobs": 0o700} {
		file := filepath.Join(path, name)
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err == nil {
			err = os.Chmod(file, mode)
		}
		if err != nil {
			return fmt.Errorf("keep %s to its owner: %w", file, err)
		}
	}
	return nil
}
