// Command generate writes the files that follow from the code: make generate
// runs it, and a test holds the files to what it would write.
package main

import (
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/internal/operations"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate REPOSITORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	all, err := files(root)
	if err != nil {
		return err
	}
	for path, content := range all {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil { //nolint:gosec // sources are public
			return err
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o644); err != nil { //nolint:gosec // sources are public
			return err
		}
	}
	return nil
}

// files are the generated files by path in the repository. Of the README only the
// counts are generated, between their markers.
func files(root string) (map[string]string, error) {
	catalog, err := services.Catalog()
	if err != nil {
		return nil, err
	}
	all, err := calls(root)
	if err != nil {
		return nil, err
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, err
	}
	counted, err := between(string(readme), "<!-- counts -->", "<!-- /counts -->", counts(catalog, len(all)))
	if err != nil {
		return nil, fmt.Errorf("README.md: %w", err)
	}
	correctness, err := correctnessPage(root)
	if err != nil {
		return nil, err
	}
	checks, err := checkPages(catalog)
	if err != nil {
		return nil, err
	}
	shown, err := examples(root, catalog)
	if err != nil {
		return nil, err
	}
	frameworks, err := compliancePage(catalog)
	if err != nil {
		return nil, err
	}
	document, err := api.Document("1", catalog)
	if err != nil {
		return nil, err
	}
	known, err := accesses(all)
	if err != nil {
		return nil, err
	}
	role, err := role(known, all)
	if err != nil {
		return nil, err
	}
	synthetic, err := answered(all)
	if err != nil {
		return nil, err
	}
	files, err := schemas()
	if err != nil {
		return nil, err
	}
	maps.Copy(files, map[string]string{
		"pkg/policy/operations.tsv":               table(all),
		"bench/synthetic/called.go":               synthetic,
		"pkg/policy/actions.tsv":                  actions(known),
		"pkg/policy/version.go":                   version(role),
		"docs/policy.md":                          role.Page(),
		"cloudformation/audit-role.yaml":          role.CloudFormation(),
		"cloudformation/audit-role-stackset.yaml": role.StackSet(),
		"terraform/audit-role/main.tf":            role.Terraform(),
		"docs/checks.md":                          checks,
		"docs/compliance.md":                      frameworks,
		"pkg/services/examples.tsv":               shown,
		"docs/correctness.md":                     correctness,
		"docs/openapi.json":                       string(document),
		"README.md":                               counted,
	})
	return files, nil
}

// calls finds the operations that the source can call, holds the walks'
// declarations to them, and joins them with the resource types of the walks.
func calls(root string) ([]policy.Operation, error) {
	found, err := operations.Find(root, nil, operations.Packages()...)
	if err != nil {
		return nil, err
	}
	if err := found.Check(policy.Connect()); err != nil {
		return nil, err
	}
	kinds := map[string][]string{}
	for _, id := range found.IDs() {
		kinds[id] = nil
	}
	for _, spec := range collectors.All() {
		for _, walk := range spec.Walks {
			for _, id := range walk.Operations {
				kinds[id] = append(kinds[id], walk.Kinds...)
			}
		}
	}
	return tabulate(kinds), nil
}

// accesses is what AWS's reference says of the actions that operations need and of
// those that the role denies.
func accesses(all []policy.Operation) (map[string]policy.Access, error) {
	universe := map[string]policy.Access{}
	for _, a := range grant.Universe() {
		universe[a.Action] = a
	}
	needed := map[string]string{} // action to what needs it
	for _, action := range policy.Denied() {
		needed[action] = "the role, which denies it,"
	}
	for _, op := range all {
		needed[op.Action] = op.ID
	}
	known := map[string]policy.Access{}
	var errs []error
	for _, action := range slices.Sorted(maps.Keys(needed)) {
		access, ok := universe[action]
		if !ok {
			errs = append(errs, fmt.Errorf("%s needs %q, which is not in pkg/policy/grant/universe.tsv: if it is called otherwise, pkg/policy/actions.go says so", needed[action], action))
		}
		known[action] = access
	}
	return known, errors.Join(errs...)
}

// role is the role as it is to be published: of a new version, if it allows or
// denies something else than before.
func role(known map[string]policy.Access, all []policy.Operation) (policy.Role, error) {
	same, err := policy.NewRoleFrom(known, policy.VersionDate, all)
	if err != nil || same.Hash == policy.RecordedHash {
		return same, err
	}
	next, err := policy.Raised(policy.VersionDate, time.Now().UTC())
	if err != nil {
		return policy.Role{}, err
	}
	return policy.NewRoleFrom(known, next, all)
}

// version writes the constants that name the role.
func version(role policy.Role) string {
	return fmt.Sprintf(`// Code generated by make generate; DO NOT EDIT.

package policy

// VersionDate names the set of actions that the role allows and denies: customers see
// by it that their role is older. RecordedHash is the set's own.
const (
	VersionDate  = %q
	RecordedHash = %q
)
`, role.Version, role.Hash)
}

// actions writes the table that policy.Accesses reads.
func actions(known map[string]policy.Access) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s; generated by make generate from grant/universe.tsv.\n# action\taccess level\treads data\texposes credentials\n", grant.UniverseSource())
	yes := map[bool]string{true: "yes", false: "no"}
	for _, action := range slices.Sorted(maps.Keys(known)) {
		a := known[action]
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", a.Action, a.Level, yes[a.Data], yes[a.Credentials])
	}
	return b.String()
}

// between replaces what stands between two markers.
func between(text, from, to, content string) (string, error) {
	head, rest, found := strings.Cut(text, from)
	_, tail, ended := strings.Cut(rest, to)
	if !found || !ended {
		return "", fmt.Errorf("the markers %s and %s are missing", from, to)
	}
	return head + from + content + to + tail, nil
}

// counts says how much is checked.
func counts(catalog *check.Catalog, operations int) string {
	collected := 0
	for _, s := range catalog.Services() {
		// CloudArq's own access is collected, and no service of AWS's.
		if slices.ContainsFunc(s.Kinds, func(k check.Kind) bool { return strings.HasPrefix(k.Name, "AWS::") }) {
			collected++
		}
	}
	return fmt.Sprintf("%d checks over %d AWS services, by %d read operations", len(catalog.Checks()), collected, operations)
}

// checkPages lists all checks by service.
func checkPages(catalog *check.Catalog) (string, error) {
	var b strings.Builder
	b.WriteString("# Checks\n\nGenerated from the code by `make generate`. `cloudarq checks show ID` has the risk, the remedy and the references of each. Audits leave out what is marked \"only if named\": name such a check, or run all with `--checks all`. A failure that folds under another of the same resource is listed with that one, and weighs with it once. What another tool says partly the same is marked \"partly\", with what differs, and \"weaker than\" what asks for more.\n")
	for _, s := range catalog.Services() {
		checks := slices.DeleteFunc(slices.Clone(catalog.Checks()), func(c check.Check) bool { return c.Service != s.Name })
		described, err := shape.Describe(catalog, checks)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n## %s\n\n| check | severity | what is right | CIS 7.0 | to know |\n|---|---|---|---|---|\n", s.Title)
		for _, c := range described {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, c.Severity, strings.ReplaceAll(c.Title, "|", `\|`), strings.Join(c.Controls["cis-aws-7.0"], ", "), toKnow(c))
		}
	}
	return b.String(), nil
}

// correctnessPage lists what the tests of checks say about public reports of checks,
// this project's and other tools'.
func correctnessPage(root string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "pkg", "services", "*", "testdata", "reports.tsv"))
	if err != nil {
		return "", err
	}
	type row struct{ report, state, verdict string }
	checks := map[row][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read reports: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			if len(f) != 4 {
				return "", fmt.Errorf("%s: %q has not four columns", file, line)
			}
			at := row{f[0], f[2], f[3]}
			checks[at] = append(checks[at], "`"+f[1]+"`")
		}
	}
	var rows []string
	for at, ids := range checks {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", reportLink(at.report), check.List(ids), strings.ReplaceAll(at.state, "|", `\|`), at.verdict))
	}
	slices.Sort(rows)
	return "# Correctness\n\nPublic reports of checks that were wrong in some tool, the state that each is about, and what CloudArq says of it. " +
		"Generated by `make generate` from the tests that judge these states (`Reports` in the cases of `pkg/services/*`), so the verdicts are those of the code.\n\n" +
		"| report | check | state | verdict |\n|---|---|---|---|\n" + strings.Join(rows, ""), nil
}

// reportLink is a link to an issue or a pull request, or the text that it is.
func reportLink(report string) string {
	repository, number, ok := strings.Cut(report, "#")
	if !ok || strings.Count(repository, "/") != 1 {
		return report
	}
	return fmt.Sprintf("[%s](https://github.com/%s/issues/%s)", report, repository, number)
}

// toKnow is what is special about a check.
func toKnow(c shape.Check) string {
	var all []string
	if c.Optional != "" {
		all = append(all, "only if named: "+c.Optional)
	}
	for _, o := range c.Options {
		all = append(all, fmt.Sprintf("option `%s`: %s", o.Name, o.Default))
	}
	for _, cause := range c.Causes {
		all = append(all, fmt.Sprintf("folds under `%s`", cause))
	}
	for _, x := range c.Impossible {
		all = append(all, fmt.Sprintf("not in %s: [%s](%s)", strings.Join(x.Partitions, ", "), x.Reason, x.Source))
	}
	for _, differs := range report.Differences(c.Partly) {
		all = append(all, "partly "+differs)
	}
	for _, differs := range report.Differences(c.Weaker) {
		all = append(all, "weaker than "+differs)
	}
	return strings.ReplaceAll(strings.Join(all, "; "), "|", `\|`)
}

// tabulate makes the operations of a map of their ids to the resource types
// that each is called for.
func tabulate(kinds map[string][]string) []policy.Operation {
	var all []policy.Operation
	for _, id := range slices.Sorted(maps.Keys(kinds)) {
		service, operation, _ := strings.Cut(id, ".")
		of := slices.Sorted(slices.Values(kinds[id]))
		all = append(all, policy.Operation{ID: id, Action: policy.Action(service, operation), Kinds: slices.Compact(of)})
	}
	return all
}

// table writes the table that policy.Operations reads.
func table(all []policy.Operation) string {
	var b strings.Builder
	b.WriteString("# Generated by make generate from the source of the collectors; every other operation is refused.\n" +
		"# operation\tIAM action\tresource types that it is called for\n")
	for _, op := range all {
		b.WriteString(op.ID + "\t" + op.Action + "\t" + strings.Join(op.Kinds, ",") + "\n")
	}
	return b.String()
}

// answered writes which operations synthetic accounts answer: all that walks call.
func answered(all []policy.Operation) (string, error) {
	clients := map[string]bool{}
	var calls []string
	for _, op := range all {
		if len(op.Kinds) == 0 {
			continue
		}
		service, operation, _ := strings.Cut(op.ID, ".")
		client := strings.ToLower(strings.ReplaceAll(service, " ", "")) // as the SDK calls its packages
		clients[client] = true
		calls = append(calls, fmt.Sprintf("\tget[%[1]s.%[2]sInput, %[1]s.%[2]sOutput](t)\n", client, operation))
	}
	var b strings.Builder
	b.WriteString("// Code generated by make generate from the operations of walks; DO NOT EDIT.\n\npackage synthetic\n\nimport (\n")
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		fmt.Fprintf(&b, "\t\"github.com/aws/aws-sdk-go-v2/service/%s\"\n", client)
	}
	b.WriteString(")\n\n// called adds every operation that collectors call, each with an answer that follows from\n// its type.\nfunc called(t table) {\n")
	b.WriteString(strings.Join(calls, "") + "}\n")
	formatted, err := format.Source([]byte(b.String()))
	return string(formatted), err
}
