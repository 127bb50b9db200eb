package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// every platform that the command is published for.
var every = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// platform is what a program is built for.
type platform struct{ os, arch string }

func parsePlatform(name string) (platform, error) {
	if !slices.Contains(every, name) {
		return platform{}, fmt.Errorf("%q is no platform that is released; there are %s", name, strings.Join(every, ", "))
	}
	system, arch, _ := strings.Cut(name, "/")
	return platform{system, arch}, nil
}

// program is the command's file name there.
func (p platform) program() string {
	if p.os == "windows" {
		return "cloudarq.exe"
	}
	return "cloudarq"
}

// functionNames are the functions that template.yaml deploys.
var functionNames = []string{"api", "scheduler", "checker", "aggregator", "worker"}

// compiler builds programs.
type compiler interface {
	// command builds the command into a file.
	command(p platform, file string) error
	// functions builds dir/<name>/bootstrap of each function.
	functions(dir string) error
}

// builder builds for publishing: without C, without paths of this machine, and for the
// processors that every machine of an architecture has.
type builder struct {
	root, version, commit string
	log                   io.Writer

	// draft builds as make build does, so that what is compiled already serves. With
	// other flags all of the AWS SDK would be compiled once more, which tests of what
	// comes after it cannot wait for.
	draft bool
}

func (b builder) environ(p platform) []string {
	env := append(os.Environ(), "VERSION="+b.version, "COMMIT="+b.commit)
	if b.draft {
		return env
	}
	return append(env,
		"GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=",
		"GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath -buildvcs=false"))
}

func (b builder) run(env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.root, env, b.log, b.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (b builder) command(p platform, file string) error {
	env := b.environ(p)
	if err := b.run(env, "tools/compile.sh", "./cmd/cloudarq"); err != nil {
		return err
	}
	return b.run(env, "go", "build", "-ldflags", "-s -w "+b.stamp(), "-o", file, "./cmd/cloudarq")
}

// stamp is what the linker is told of the version.
func (b builder) stamp() string {
	const variable = "-X github.com/cloudarq/cloudarq/internal/version."
	return variable + "stamped=" + b.version + " " + variable + "commit=" + b.commit
}

func (b builder) functions(dir string) error {
	return b.run(append(b.environ(platform{"linux", "arm64"}), "OUT="+dir), "tools/functions.sh")
}

// command packs the command for a platform, with what whoever gets it should read.
func (r release) command(b compiler, p platform, scratch string) error {
	fmt.Fprintf(r.log, "The command for %s/%s\n", p.os, p.arch)
	program, err := filepath.Abs(filepath.Join(scratch, p.os+"_"+p.arch))
	if err != nil {
		return err
	}
	if err := b.command(p, program); err != nil {
		return err
	}
	files := []file{{name: p.program(), path: program, mode: 0o755}}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		files = append(files, file{name: name, path: filepath.Join(r.root, name), mode: 0o644})
	}
	if p.os == "windows" {
		return zipped(r.path(p.os+"_"+p.arch+".zip"), r.time, files)
	}
	return tarred(r.path(p.os+"_"+p.arch+".tar.gz"), r.time, files)
}

// functions packs each function as Lambda takes it.
func (r release) functions(b compiler, scratch string) error {
	fmt.Fprintln(r.log, "The functions")
	dir, err := filepath.Abs(filepath.Join(scratch, "functions"))
	if err != nil {
		return err
	}
	if err := b.functions(dir); err != nil {
		return err
	}
	for _, name := range functionNames {
		program := file{name: "bootstrap", path: filepath.Join(dir, name, "bootstrap"), mode: 0o755}
		if err := zipped(r.path(functionZip(name)), r.time, []file{program}); err != nil {
			return err
		}
	}
	return nil
}

func functionZip(name string) string { return "function_" + name + "_arm64.zip" }
