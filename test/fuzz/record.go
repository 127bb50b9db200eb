package main

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is the page that says what was tried.
type record struct {
	options options
	runs    []run
	tallies []*tally
}

func (r *record) add(as run, t *tally) {
	r.runs, r.tallies = append(r.runs, as), append(r.tallies, t)
}

// checks are those of schemathesis that are on, each for what it says of an answer.
var checks = [][2]string{
	{"not_a_server_error", "no status of 500 and more"},
	{"status_code_conformance", "no status that the document does not have"},
	{"content_type_conformance", "no media type that it does not have"},
	{"response_schema_conformance", "no body that breaks its schema: of problems, the code is one of the operation's"},
	{"response_headers_conformance", "each header field that it says is there, and of its form"},
	{"negative_data_rejection", "nothing is accepted that the document says is none"},
	{"positive_data_acceptance", "nothing is refused as malformed that the document allows"},
	{"missing_required_header", "what is required is asked for"},
	{"unsupported_method", "other methods are refused with 405, and Allow"},
	{"allow_header_conformance", "Allow has the methods of the document"},
	{"ignored_auth", "without a credential, or with another, nobody is let in"},
	{"use_after_free", "what was deleted is gone"},
	{"ensure_resource_availability", "what was made is there"},
	{"object_level_authorization", "what one made is not another's"},
}

func (r *record) write(to string) error {
	var b strings.Builder
	total := 0
	for _, t := range r.tallies {
		total += t.total()
	}
	fmt.Fprintf(&b, `# Requests of nobody's making

`+"`make fuzz`"+` wrote this page on %s. [schemathesis](https://schemathesis.readthedocs.io) %s made **%s requests**
of `+"`docs/openapi.json`"+`, of what it allows and of what it does not, to the handler of a deployment
(SQLite, workers, an account that is made up at the AWS SDK's edge; %s), and held each answer to
the document. `+"`test/fuzz/schemathesis.toml`"+` says which checks are not asked of which operation, and why.

`, time.Now().UTC().Format("2 January 2006"), r.tallies[0].version, thousands(total), strings.Replace(runtime.Version(), "go", "Go ", 1))
	b.WriteString("| who | requests | broken promises |\n|---|---:|---:|\n")
	for i, as := range r.runs {
		fmt.Fprintf(&b, "| %s | %s | %d |\n", as.about, thousands(r.tallies[i].total()), r.tallies[i].failed())
	}
	b.WriteString("\n## What is held\n\n| check | what it refuses |\n|---|---|\n")
	for _, c := range checks {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c[0], c[1])
	}
	b.WriteString("\n## What was answered\n\nBy operation, of all runs; without a name: paths and methods that are none.\n\n| operation | requests | statuses |\n|---|---:|---|\n")
	all := map[string]map[int]int{}
	for _, t := range r.tallies {
		for id, statuses := range t.statuses {
			if all[id] == nil {
				all[id] = map[int]int{}
			}
			for status, n := range statuses {
				all[id][status] += n
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		sum := 0
		var parts []string
		for _, status := range slices.Sorted(maps.Keys(all[id])) {
			sum += all[id][status]
			parts = append(parts, fmt.Sprintf("%d: %s", status, thousands(all[id][status])))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", id, thousands(sum), strings.Join(parts, ", "))
	}
	return os.WriteFile(to, []byte(b.String()), 0o644) //nolint:gosec // documentation is public
}

// thousands writes a number as people read it.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
