package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

// publishable says in one sentence why a version is none that can be released.
func publishable(version, changelog string) error {
	switch v := "v" + version; {
	case version == "":
		return errors.New("no version is named: make release VERSION=1.2.3")
	case strings.HasPrefix(version, "v"):
		return fmt.Errorf("%s is not a semantic version: want %s, without the v", version, version[1:])
	case !semver.IsValid(v) || semver.Canonical(v)+semver.Build(v) != v:
		return fmt.Errorf("%q is not a semantic version: want one such as 1.2.3 or 1.2.3-rc.1", version)
	case semver.Build(v) != "":
		return fmt.Errorf("%s has build metadata: releases that differ in nothing else would be the same version", version)
	}
	// A heading may have the day after the version.
	heading := regexp.MustCompile(`(?m)^## \[?` + regexp.QuoteMeta(version) + `\]?([ \t].*)?$`)
	if !heading.MatchString(changelog) {
		return fmt.Errorf("CHANGELOG.md has no section %q: say there what %s changes", "## "+version, version)
	}
	return nil
}
