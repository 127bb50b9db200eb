package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/zalando/go-keyring"
)

// SystemKeyring is the operating system's: macOS's Keychain, Windows' Credential Manager,
// and the Secret Service of freedesktop.org elsewhere. It is nil where there is none.
func SystemKeyring() Keyring {
	switch runtime.GOOS {
	case "darwin", "windows":
		return system{}
	}
	// Without a bus the library would start one, which nobody asked for.
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return system{}
	}
	runtimeDir := cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), filepath.Join("/run/user", strconv.Itoa(os.Getuid())))
	if _, err := os.Stat(filepath.Join(runtimeDir, "bus")); err == nil {
		return system{}
	}
	return nil
}

// service is what entries belong to; their account is the server.
const service = "cloudarq"

// askWithin is how long somebody has to unlock a keyring that asks for that.
const askWithin = time.Minute

type system struct{}

func (system) Get(ctx context.Context, server string) (string, error) {
	return within(ctx, func() (string, error) { return keyring.Get(service, server) })
}

func (system) Set(ctx context.Context, server, content string) error {
	_, err := within(ctx, func() (string, error) { return "", keyring.Set(service, server, content) })
	return err
}

func (system) Delete(ctx context.Context, server string) error {
	_, err := within(ctx, func() (string, error) { return "", keyring.Delete(service, server) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// within leaves a keyring that does not answer: its library knows no context.
func within(ctx context.Context, work func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := work()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", fmt.Errorf("it does not answer: %w", ctx.Err())
	}
}
