package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// urlFile is the file of a data directory that says how people reach what is served from it,
// or was served last.
const urlFile = "serve.url"

// noteURL keeps the public URL for the commands that print links.
func noteURL(dir, url string) (err error) {
	temp, err := os.CreateTemp(dir, ".serve-url-*") // of mode 0600
	if err == nil {
		_, err = temp.WriteString(url + "\n")
		err = errors.Join(err, temp.Close())
		if err == nil {
			err = os.Rename(temp.Name(), filepath.Join(dir, urlFile))
		}
		if err != nil {
			_ = os.Remove(temp.Name()) // the error before says more
		}
	}
	if err != nil {
		return fmt.Errorf("note how people reach the server: %w", err)
	}
	return nil
}

// LastURL is the public URL of the server that serves a data directory, or was the last to;
// of one that nobody has served yet, the URL that it has unless something else is said.
func LastURL(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, urlFile)) //nolint:gosec // the operator's own directory
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "http://" + DefaultListen, nil
	case err != nil:
		return "", fmt.Errorf("read how people reach the server: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
