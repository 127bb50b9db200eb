package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// The SDK's core, and where it has its clients.
const (
	sdkCore    = "github.com/aws/aws-sdk-go-v2"
	sdkClients = sdkCore + "/service/"
)

// require has go.mod require the client, unless it does: the newest one that is content
// with the core that is required already. A newer core would change every other client.
func require(client string) (added bool, err error) {
	if _, err := command("list", "-m", client); err == nil {
		return false, nil
	}
	core, err := command("list", "-m", "-f", "{{.Version}}", sdkCore)
	if err != nil {
		return false, err
	}
	versions, err := command("list", "-m", "-f", `{{join .Versions " "}}`, "-versions", client)
	if err != nil {
		return false, err
	}
	version, err := newest(strings.Fields(versions), core, func(version string) (string, error) { return needs(client + "@" + version) })
	if err != nil {
		return false, fmt.Errorf("%s: %w", client, err)
	}
	_, err = command("get", client+"@"+version)
	return true, err
}

// newest is the last of the versions, of which the first is the oldest, that needs no
// newer core.
func newest(versions []string, core string, needs func(version string) (string, error)) (string, error) {
	for _, version := range slices.Backward(versions) {
		needed, err := needs(version)
		if err != nil {
			return "", err
		}
		if semver.Compare(needed, core) <= 0 {
			return version, nil
		}
	}
	return "", fmt.Errorf("no version is content with %s %s", sdkCore, core)
}

// needs is the version of the core that a version of a client requires.
func needs(client string) (string, error) {
	said, err := command("mod", "download", "-json", client)
	if err != nil {
		return "", err
	}
	var downloaded struct{ GoMod string }
	if err := json.Unmarshal([]byte(said), &downloaded); err != nil {
		return "", err
	}
	text, err := os.ReadFile(downloaded.GoMod)
	if err != nil {
		return "", err
	}
	file, err := modfile.ParseLax(downloaded.GoMod, text, nil)
	if err != nil {
		return "", err
	}
	for _, required := range file.Require {
		if required.Mod.Path == sdkCore {
			return required.Mod.Version, nil
		}
	}
	return "", nil
}

// command is what the go command says; its error is what it says of a failure.
func command(args ...string) (string, error) {
	said, err := exec.Command("go", args...).Output() //nolint:gosec // words of a developer's own command line
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(said)), nil
}
