package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sumsName is the file of the checksums, in the form that sha256sum -c reads.
const sumsName = "SHA256SUMS"

// sums writes the checksums of all that is published.
func (r release) sums() error {
	files, err := os.ReadDir(r.dist) // by name
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, f := range files {
		in, err := os.Open(filepath.Join(r.dist, f.Name()))
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, in)
		in.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sum.Sum(nil), f.Name())
	}
	return os.WriteFile(filepath.Join(r.dist, sumsName), []byte(lines.String()), 0o644) //nolint:gosec // it is published
}

// namespace is what a signature of ours is for, so that none made by the same key for
// something else passes for one.
const namespace = "cloudarq-release"

// sign signs the checksums by an SSH key, and says so if there is none.
func (r release) sign(key string) error {
	if key == "" {
		fmt.Fprintf(r.log, "%s is not signed: SIGNING_KEY names no key.\n", sumsName)
		return nil
	}
	cmd := exec.Command("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace, filepath.Join(r.dist, sumsName))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, r.log, r.log // it asks for the key's passphrase
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sign %s: %w", sumsName, err)
	}
	return nil
}
