package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// List implements blob.Store. Files that Put cannot have made are passed over.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		err := blob.CheckPrefix(prefix)
		if err == nil {
			w := walk{ctx: ctx, files: s.root.FS(), prefix: prefix, yield: yield}
			err = w.folder("")
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(blob.Info{}, fmt.Errorf("list blobs %s*: %w", prefix, explain(err)))
		}
	}
}

var errStop = errors.New("caller has enough")

type walk struct {
	ctx    context.Context
	files  fs.FS
	prefix string
	yield  func(blob.Info, error) bool
}

// folder yields all below dir, which is "" or ends with a slash.
func (w *walk) folder(dir string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(w.files, path.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	// A folder's keys begin with its name and a slash, and there they belong:
	// "a-b" comes before "a/b" although "a" comes before "a-b".
	keys := make([]string, len(entries))
	byKey := make(map[string]fs.DirEntry, len(entries))
	for i, e := range entries {
		keys[i] = dir + e.Name()
		if e.IsDir() {
			keys[i] += "/"
		}
		byKey[keys[i]] = e
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := w.entry(key, byKey[key]); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(key string, e fs.DirEntry) error {
	if e.IsDir() {
		wanted := strings.HasPrefix(key, w.prefix) || strings.HasPrefix(w.prefix, key)
		if !wanted || blob.CheckPrefix(key) != nil {
			return nil
		}
		return w.folder(key)
	}
	if !strings.HasPrefix(key, w.prefix) || !e.Type().IsRegular() || blob.CheckKey(key) != nil {
		return nil
	}
	st, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !w.yield(blob.Info{Key: key, Size: st.Size(), Modified: st.ModTime().UTC(), Tag: tag(st)}, nil) {
		return errStop
	}
	return nil
}
