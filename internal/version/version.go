// Package version says which version of CloudArq this is.
package version

import "runtime/debug"

// stamped and commit are set when a release is built:
//
//	go build -ldflags "-X github.com/cloudarq/cloudarq/internal/version.stamped=1.2.3"
var stamped, commit = "dev", ""

// String is the version, "dev" where no release was built.
func String() string { return stamped }

// Commit is the commit of git that was built, "" where nobody knows. It ends with -dirty
// if there were changes besides.
func Commit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] == "true" {
		return settings["vcs.revision"] + "-dirty"
	}
	return settings["vcs.revision"]
}
