package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

// compliancePage lists the frameworks, how much of each is looked at here, and what is not.
func compliancePage(catalog *check.Catalog) (string, error) {
	frameworks, err := catalog.Frameworks()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Compliance

Generated from the code by %[1]s. %[2]d frameworks are mapped, each in a file of
%[3]s: the ids of its requirements, and which checks each asks
for, of this tool or another. None has the text of a standard; what a requirement is
about is said by the titles of its checks (%[4]s).

A requirement is

- **failing** if any part of it fails,
- **not assessed** if nothing of it is met, and something could not be assessed, or was not,
- **partly checked** if something is met, and something was not assessed or has no check here,
- **without an automated check** if nothing here looks at it, and nobody attests it,
- **passing** only if each part is looked at here or attested, was assessed and is met,
- **not applicable** if each part was looked at, and there is nothing that it applies to.

A part that asks for more than the checks here do can be found failing by them, and not met.
A failure that an exception accepts counts as met, and is shown. Of several accounts the
worst counts, and nothing passes that was not looked at in one of them. What people attest
speaks for what is not assessed, and never against a failure; it runs out, and the
requirement is open again.

A requirement whose number is that of another, with one more behind it (PCI DSS 4.0), is a
part of that, which is mapped by itself; its section says of what.

`, "`make generate`", len(frameworks), "`pkg/judge/framework/data`", "`cloudarq compliance show FRAMEWORK`")
	b.WriteString("| framework | version | requirements | automatable | looked at | wholly | checks | mapped by | on |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, f := range frameworks {
		c := compliance.CoverageOf(f)
		fmt.Fprintf(&b, "| [%s](%s) `%s` | %s | %d | %d | %d | %d | %d | %s | %s |\n", f.Title, f.Source, f.ID, f.Version, c.Requirements, c.Automatable, c.Checked, c.Whole, c.Checks, f.Mapping, f.Date)
	}
	b.WriteString(`
"Automatable" are the requirements of which a program, this one or another, can look at
something; "looked at" those of which something is looked at here, and "wholly" those of
which all of it is, as strictly as is asked.

## Left out

- Frameworks that are a peer's own brand, or a vendor's list for new accounts: nobody is
  audited by them.
- Requirements for people alone have no part; they are there, so that people can attest
  them.
- What frameworks ask for, and nothing here looks at yet, or not as strictly, is below: as
  other tools call it, with how many frameworks ask for it.

| asked for | by frameworks | looked at |
|---|---|---|
`)
	asked, weaker := map[string]map[string]bool{}, map[string]bool{}
	for _, f := range frameworks {
		for _, r := range f.Requirements {
			for _, p := range r.Parts {
				if len(p.Checks) > 0 && !p.Weaker {
					continue
				}
				if asked[p.String()] == nil {
					asked[p.String()] = map[string]bool{}
				}
				asked[p.String()][f.ID], weaker[p.String()] = true, p.Weaker
			}
		}
	}
	parts := slices.SortedFunc(maps.Keys(asked), func(a, b string) int {
		if d := len(asked[b]) - len(asked[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, p := range parts {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", p, len(asked[p]), map[bool]string{true: "less strictly", false: "no"}[weaker[p]])
	}
	return b.String(), nil
}
