package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bill writes the bill of materials: all modules that the command and the functions are
// made of, with Go itself, their versions, hashes and licenses, in CycloneDX's form.
func (r release) bill() error {
	fmt.Fprintln(r.log, "The bill of materials")
	cmd := exec.Command("go", "-C", "tools", "tool", "cyclonedx-gomod", "mod", "-type", "application", "-json", "-licenses", "-std", "-short-purls", "-noserial", "..")
	cmd.Dir = r.root
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("cyclonedx-gomod: %w\n%s", err, complaints.String())
	}
	text, err := ofRelease(out, r.version, r.time)
	if err != nil {
		return fmt.Errorf("bill of materials: %w", err)
	}
	return os.WriteFile(filepath.Join(r.dist, "cloudarq_"+r.version+".cdx.json"), text, 0o644) //nolint:gosec // it is published
}

// ofRelease puts the release in the bill: its version, which the tool would take from a
// tag of git, and its time instead of today's. The hashes of the tool's own binary, which
// every machine builds for itself, go.
func ofRelease(bill []byte, version string, at time.Time) ([]byte, error) {
	const product = "pkg:golang/github.com/cloudarq/cloudarq"
	var text map[string]any
	// The product is referred to where its dependencies are listed, too. Without a tag
	// its name ends there; with one, a version follows, which is not this one.
	if err := json.Unmarshal(bill, &text); err != nil {
		return nil, err
	}
	metadata, _ := text["metadata"].(map[string]any)
	component, _ := metadata["component"].(map[string]any)
	old, _ := component["bom-ref"].(string)
	if !strings.HasPrefix(old, product) {
		return nil, fmt.Errorf("it is of %q", old)
	}
	now := product + "@v" + version
	component["bom-ref"], component["purl"], component["version"] = now, now, version
	metadata["timestamp"] = at.Format(time.RFC3339)
	tools, _ := metadata["tools"].([]any)
	for _, t := range tools {
		if t, ok := t.(map[string]any); ok {
			delete(t, "hashes")
		}
	}
	dependencies, _ := text["dependencies"].([]any)
	for _, d := range dependencies {
		if d, ok := d.(map[string]any); ok && d["ref"] == old {
			d["ref"] = now
		}
	}
	out, err := json.MarshalIndent(text, "", "  ")
	return append(out, '\n'), err
}
