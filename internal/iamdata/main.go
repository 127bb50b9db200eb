// Command iamdata renews the repository's data on IAM actions:
//
//	go run ./internal/iamdata -source "iam-dataset 2073fa52" -date 2026-11-25 . actions.tsv SecurityAudit.json ReadOnlyAccess.json
//
// The first file is a table of all IAM actions as AWS's Service Authorization
// Reference has them, tab-separated under a header that names at least the
// columns iam_action, access_level, credentials_exposure and data_access; it
// can be made from the JSON of https://github.com/iann0036/iam-dataset. The
// others are managed policies of AWS, {"name", "version", "created",
// "document"}, which the same source has.
//
// It writes all actions and the managed policies under pkg/policy/grant; make
// generate takes from there what CloudArq needs and denies.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

func main() {
	source := flag.String("source", "", "what the table was made from, with its version")
	date := flag.String("date", "", "when, as 2026-11-25")
	flag.Parse()
	if *source == "" || *date == "" || flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: iamdata -source TEXT -date DATE REPOSITORY ACTIONS.tsv [MANAGED-POLICY.json]...")
		os.Exit(2)
	}
	header := fmt.Sprintf("# AWS Service Authorization Reference, as in %s, %s; made by internal/iamdata.\n", *source, *date)
	if err := run(flag.Arg(0), header, flag.Arg(1), flag.Args()[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "iamdata:", err)
		os.Exit(1)
	}
}

func run(root, header, table string, managed []string) error {
	all, err := read(table)
	if err != nil {
		return err
	}
	written := map[string]string{
		"pkg/policy/grant/universe.tsv": header + universe(all),
	}
	for _, file := range managed {
		name, content, err := reduce(file)
		if err != nil {
			return err
		}
		written["pkg/policy/grant/managed/"+name+".json"] = content
	}
	for path, content := range written {
		if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o644); err != nil { //nolint:gosec // sources are public
			return err
		}
	}
	return nil
}

func read(path string) (map[string]policy.Access, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	column := map[string]int{}
	for i, name := range strings.Split(lines.Text(), "\t") {
		column[name] = i
	}
	for _, name := range []string{"iam_action", "access_level", "credentials_exposure", "data_access"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("%s has no column %s", path, name)
		}
	}
	all := map[string]policy.Access{}
	for lines.Scan() {
		cells := strings.Split(lines.Text(), "\t")
		if len(cells) < len(column) {
			return nil, fmt.Errorf("%s: a line has %d cells, want %d: %s", path, len(cells), len(column), lines.Text())
		}
		action := cells[column["iam_action"]]
		all[action] = policy.Access{
			Action: action, Level: cells[column["access_level"]],
			Data: cells[column["data_access"]] == "yes", Credentials: cells[column["credentials_exposure"]] == "yes",
		}
	}
	return all, lines.Err()
}

// universe has a line per service and level, to keep it small: the actions'
// names, marked with ! if they read data and with $ if they expose credentials.
func universe(all map[string]policy.Access) string {
	type group struct{ service, level string }
	names := map[group][]string{}
	for _, a := range all {
		service, name, _ := strings.Cut(a.Action, ":")
		if a.Data {
			name += "!"
		}
		if a.Credentials {
			name += "$"
		}
		at := group{service, a.Level}
		names[at] = append(names[at], name)
	}
	var b strings.Builder
	b.WriteString("# service\taccess level\tactions; ! reads data, $ exposes credentials\n")
	for _, at := range slices.SortedFunc(maps.Keys(names), func(a, b group) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.level, b.level))
	}) {
		slices.Sort(names[at])
		fmt.Fprintf(&b, "%s\t%s\t%s\n", at.service, at.level, strings.Join(names[at], " "))
	}
	return b.String()
}

// reduce reads a managed policy and keeps what is used of it.
func reduce(path string) (name, content string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	var managed struct {
		Name     string          `json:"name"`
		Version  string          `json:"version"`
		Created  string          `json:"created"`
		Document json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(data, &managed); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	if managed.Name == "" || managed.Version == "" || len(managed.Document) == 0 {
		return "", "", fmt.Errorf("%s is no managed policy: want name, version and document", path)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(managed); err != nil {
		return "", "", err
	}
	return managed.Name, b.String(), nil
}
