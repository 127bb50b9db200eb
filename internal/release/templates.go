package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// change is what is written in a template in the place of what stands there once.
type change struct{ old, new string }

// templates writes the deployment's template, which deploys the functions packed beside
// it, and those of the audit role. A template of the role has two versions: that of the
// release, and that of the policy, which is raised only when what the role may do changes.
func (r release) templates() error {
	deployment := []change{
		{"CloudArq dev audits", "CloudArq " + r.version + " audits"},
		{"CloudArq: {Version: dev}", "CloudArq: {Version: " + quoted(r.version) + "}"},
		{"Value: dev}", "Value: " + quoted(r.version) + "}"},
	}
	for _, name := range functionNames {
		deployment = append(deployment, change{"CodeUri: bin/functions/" + name + "/", "CodeUri: " + r.name(functionZip(name))})
	}
	comment := fmt.Sprintf("# Published with CloudArq %s. The policy has a version of its own, %s, which is\n"+
		"# raised only when what the role may do changes.\n", r.version, policy.VersionDate)
	metadata := change{"\nMetadata:\n", fmt.Sprintf("\nMetadata:\n  CloudArq: {Version: %s, PolicyVersion: %s}\n", quoted(r.version), quoted(policy.VersionDate))}
	for _, t := range []struct {
		from, to, comment string
		changes           []change
	}{
		{"template.yaml", "template.yaml", "", deployment},
		{"cloudformation/audit-role.yaml", "audit-role.yaml", comment, []change{metadata}},
		{"cloudformation/audit-role-stackset.yaml", "audit-role-stackset.yaml", comment, []change{metadata}},
		{"terraform/audit-role/main.tf", "audit-role.tf", comment, nil},
	} {
		text, err := os.ReadFile(filepath.Join(r.root, t.from))
		if err != nil {
			return err
		}
		stamped, err := changed(string(text), t.changes)
		if err != nil {
			return fmt.Errorf("%s: %w", t.from, err)
		}
		if err := os.WriteFile(r.path(t.to), []byte(t.comment+stamped), 0o644); err != nil { //nolint:gosec // it is published
			return err
		}
	}
	return nil
}

// quoted is a version as YAML takes it for text, also where it looks like a number.
func quoted(version string) string { return `"` + version + `"` }

// changed makes each change; each has one place.
func changed(text string, changes []change) (string, error) {
	for _, c := range changes {
		if n := strings.Count(text, c.old); n != 1 {
			return "", fmt.Errorf("%q is there %d times: it has to stand once, where the version goes", c.old, n)
		}
		text = strings.Replace(text, c.old, c.new, 1)
	}
	return text, nil
}
