package policy

import (
	"fmt"
	"strings"
)

// Page writes the public page of the role: every action, its level, what needs
// it and what for.
func (r Role) Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What CloudArq may do in your account

Generated from the code by `+"`make generate`"+`: the operations are found in the source of
the collectors, the access levels are AWS's own.

| | |
|---|---|
| version | %s |
| hash | %s |
| actions allowed | %d, all of access level List or Read |
| actions denied by name | %d |
| managed policies | %s |

The same role as a CloudFormation template (cloudformation/audit-role.yaml, and
audit-role-stackset.yaml for an organization), as a Terraform module
(terraform/audit-role) and as JSON (cloudarq policy show --format json). The
version is in the role's description, its tags and the Sid of each statement; the
hash is the SHA-256 over all that is allowed and denied.

cloudarq policy diff compares a policy of yours with this one, cloudarq policy
verify tells whether it suffices and allows neither writes nor data.

## Allowed

| service | action | access level | operations | what for |
|---|---|---|---|---|
`, r.Version, "`"+r.Hash+"`", len(r.Grants), len(r.Denied), r.sizes())
	for _, g := range r.Grants {
		service, _, _ := strings.Cut(g.Action, ":")
		purpose := strings.Join(g.Kinds, ", ")
		if purpose == "" {
			purpose = "connecting to the account"
		}
		if len(g.Resources) > 0 {
			purpose += "; only on `" + strings.Join(g.Resources, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", service, g.Action, g.Level, strings.Join(g.Operations, ", "), purpose)
	}
	b.WriteString("\nNot in the role:\n\n")
	for _, id := range Connect() {
		if reason := ungranted[id]; reason != "" {
			fmt.Fprintf(&b, "- %s %s.\n", id, reason)
		}
	}
	b.WriteString(`
## Denied

Whatever else is attached to the role, it cannot do any of these. CloudArq's own
guard refuses them as well, and everything else that is not in the table above,
before a request is signed.

`)
	for _, action := range r.Denied {
		fmt.Fprintf(&b, "- `%s`\n", action)
	}
	return b.String()
}

func (r Role) sizes() string {
	var all []string
	for _, m := range r.Policies {
		all = append(all, fmt.Sprintf("%s %d", m.Name, m.Document.Size()))
	}
	return fmt.Sprintf("%d (characters, of at most %d: %s)", len(r.Policies), MaxPolicySize, strings.Join(all, ", "))
}
