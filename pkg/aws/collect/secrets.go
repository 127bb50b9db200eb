package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// What might hold a secret is reduced to whether it looks like one, while it is
// decoded; the value itself is never kept.

// secretShapes are forms of credentials that are recognised by themselves.
var secretShapes = regexp.MustCompile(strings.Join([]string{
	`\b(AKIA|ASIA)[A-Z0-9]{16}\b`,                                    // AWS access key id
	`-----BEGIN [A-Z ]*PRIVATE KEY-----`,                             // PEM
	`\bgh[pousr]_[A-Za-z0-9]{36,}\b`,                                 // GitHub token
	`\bgithub_pat_[A-Za-z0-9_]{60,}\b`,                               // GitHub fine-grained token
	`\bglpat-[A-Za-z0-9_-]{20,}`,                                     // GitLab token
	`\bxox[abposr]-[A-Za-z0-9-]{10,}`,                                // Slack token
	`\b(sk|rk)_live_[A-Za-z0-9]{16,}\b`,                              // Stripe key
	`\bAIza[0-9A-Za-z_-]{35}`,                                        // Google API key
	`\bnpm_[A-Za-z0-9]{36}\b`,                                        // npm token
	`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+`, // JSON web token
	`[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]{3,}@`,                    // URL with a password
}, "|"))

// secretNames are words in the name of a setting that holds a secret.
var secretNames = regexp.MustCompile(`(?i)(pass(word|wd|phrase)?|secret|token|api_?key|private_?key|access_?key|credential|auth_?key|encryption_?key|connection_?string)s?$`)

// assignment is NAME=value or NAME: value in a script.
var assignment = regexp.MustCompile(`(?m)([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*["']?([^\s"']{6,})`)

// references are values that point to a secret kept elsewhere, or to nothing.
var references = regexp.MustCompile(`^(\$|\{\{|arn:|ssm:|secretsmanager:|/|https?://[^@]*$|true$|false$|<)`)

// LooksSecret reports whether a text, such as user data, holds what looks like a
// credential.
func LooksSecret(text string) bool {
	if secretShapes.MatchString(text) {
		return true
	}
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		if named(m[1], m[2]) {
			return true
		}
	}
	return false
}

// userDataLimit bounds what is unpacked of user data: AWS takes 16 KB packed.
const userDataLimit = 1 << 20

// LooksSecretUserData reports whether user data, as AWS gives it in base64,
// holds what looks like a credential. cloud-init also takes it packed by gzip.
func LooksSecretUserData(encoded string) bool {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		data = []byte(encoded)
	}
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		// What could be unpacked of a damaged file is still worth a look.
		data, _ = io.ReadAll(io.LimitReader(packed, userDataLimit))
	}
	return LooksSecret(string(data))
}

// SecretNames lists, sorted, the settings whose value looks like a credential,
// or whose name says that it is one.
func SecretNames(settings map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if value := settings[name]; secretShapes.MatchString(value) || named(name, value) {
			names = append(names, name)
		}
	}
	return names
}

func named(name, value string) bool {
	return len(value) >= 6 && secretNames.MatchString(name) && !references.MatchString(value)
}
