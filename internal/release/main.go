// Command release makes what is published of a version, in dist: the command for each
// platform, the functions with the template that deploys them, the templates of the
// audit role, a bill of materials, and the checksums of all of it. make release runs it;
// docs/releases.md says what each file is for.
//
// Whoever builds the same commit by the same release of Go gets the same bytes:
// archives carry the commit's time, or SOURCE_DATE_EPOCH, and no path of this machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	version := flag.String("version", "", "the semantic version, such as 1.2.3")
	platforms := flag.String("platforms", strings.Join(every, " "), "for what the command is built")
	key := flag.String("key", "", "an SSH private key that signs the checksums")
	flag.Parse()
	if err := run(*version, *platforms, *key, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes the release of the repository that it is called in.
func run(version, platforms, key string, log io.Writer) error {
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	if err := publishable(version, string(changelog)); err != nil {
		return err
	}
	r := release{version: version, root: ".", dist: "dist", log: log}
	for name := range strings.FieldsSeq(strings.ReplaceAll(platforms, ",", " ")) {
		p, err := parsePlatform(name)
		if err != nil {
			return err
		}
		r.platforms = append(r.platforms, p)
	}
	if len(r.platforms) == 0 {
		return fmt.Errorf("no platform is named; there are %s", strings.Join(every, ", "))
	}
	if r.commit, r.time, err = commit(r.root, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return err
	}
	if strings.HasSuffix(r.commit, dirty) {
		fmt.Fprintln(log, "There are changes here that no commit has: this is to try, and not to be published.")
	}
	// What is left of another version would be published with this one.
	if err := os.RemoveAll(r.dist); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil { //nolint:gosec // it is published
		return err
	}
	if err := r.make(builder{root: r.root, version: version, commit: r.commit, log: log}); err != nil {
		return err
	}
	if err := r.sign(key); err != nil {
		return err
	}
	fmt.Fprintf(log, "%s has CloudArq %s, of commit %s.\n", r.dist, version, r.commit)
	return nil
}

// dirty ends the name of a commit that is not all of what is built.
const dirty = "-dirty"

// commit is what is built and when it was committed; epoch, seconds since 1970, is
// another time, as https://reproducible-builds.org/specs/source-date-epoch/ has it.
func commit(root, epoch string) (string, time.Time, error) {
	name, err := output(root, "git", "describe", "--always", "--dirty="+dirty, "--abbrev=40", "--exclude=*")
	if err != nil {
		return "", time.Time{}, err
	}
	if epoch == "" {
		if epoch, err = output(root, "git", "log", "-1", "--format=%ct"); err != nil {
			return "", time.Time{}, err
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return "", time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: want seconds since 1970", epoch)
	}
	return name, time.Unix(seconds, 0).UTC(), nil
}

// output is what a program prints on one line.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// release is one version while it is made.
type release struct {
	version    string // without a v
	root, dist string // the repository, and where what is published goes
	platforms  []platform
	commit     string
	time       time.Time // of all files in archives
	log        io.Writer
}

// name is that of a published file, which begins with the version.
func (r release) name(rest string) string { return "cloudarq_" + r.version + "_" + rest }

// path is where a published file lies.
func (r release) path(rest string) string { return filepath.Join(r.dist, r.name(rest)) }

// make writes all that is published but the signature.
func (r release) make(b compiler) (err error) {
	scratch, err := os.MkdirTemp("", "cloudarq-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	for _, p := range r.platforms {
		if err := r.command(b, p, scratch); err != nil {
			return err
		}
	}
	if err := r.functions(b, scratch); err != nil {
		return err
	}
	if err := r.templates(); err != nil {
		return err
	}
	if err := r.bill(); err != nil {
		return err
	}
	return r.sums()
}
