package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is a line of a Containerfile.
type instruction struct{ name, arguments string }

// instructions are those of a Containerfile, with what the engine and the release put in
// the place of variables.
func instructions(text string, values map[string]string) (all []instruction) {
	text = regexp.MustCompile(`(?m)^[ \t]*#.*\n`).ReplaceAllString(text, "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if name, arguments, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all = append(all, instruction{strings.ToUpper(name), os.Expand(strings.TrimSpace(arguments), func(v string) string { return values[v] })})
		}
	}
	return all
}

// TestContainerfile holds the image to what can be said of it without an engine.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	r := release{version: "1.2.3"}
	all := instructions(string(text), map[string]string{"VERSION": r.version, "TARGETARCH": "arm64"})
	last := map[string]string{} // of the image, which is what the last FROM begins
	var added []string
	for _, i := range all {
		switch i.name {
		case "FROM":
			base, _, _ := strings.Cut(i.arguments, " ")
			if base != "scratch" && !regexp.MustCompile(`@sha256:[0-9a-f]{64}$`).MatchString(base) {
				t.Errorf("%s is whatever its registry has today: want it by its digest", base)
			}
			clear(last)
			added = nil
		case "ADD":
			added = append(added, strings.Fields(i.arguments)...)
		case "RUN":
			t.Errorf("RUN %s: nothing can run in an image without a shell", i.arguments)
		}
		last[i.name] = i.arguments
	}
	if !regexp.MustCompile(`^[1-9][0-9]+:[1-9][0-9]+$`).MatchString(last["USER"]) {
		t.Errorf("the user is %q: want numbers, and not root's", last["USER"])
	}
	var entry []string
	if err := json.Unmarshal([]byte(last["ENTRYPOINT"]), &entry); err != nil || !slices.Equal(entry, []string{"/" + platform{"linux", "arm64"}.program()}) {
		t.Errorf("the entry point is %s, %v", last["ENTRYPOINT"], err)
	}
	if archive := filepath.ToSlash(filepath.Join("dist", filepath.Base(r.path("linux_arm64.tar.gz")))); !slices.Equal(added, []string{archive, "/"}) {
		t.Errorf("the image has %q, want %s in /", added, archive)
	}
	if volume := last["VOLUME"]; volume == "" || !slices.Contains(strings.Fields(last["ENV"]), "CLOUDARQ_DATA_DIR="+volume) {
		t.Errorf("state is kept by %q, and the volume is %q", last["ENV"], volume)
	}

	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(ignored)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			patterns = append(patterns, line)
		}
	}
	if len(patterns) != 2 || patterns[0] != "*" {
		t.Fatalf("the context is %q: want nothing, but for one", patterns)
	}
	if ok, err := filepath.Match(strings.TrimPrefix(patterns[1], "!"), added[0]); err != nil || !ok {
		t.Errorf("%s is not in the context: %v", added[0], err)
	}
}
