package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// asItIs runs a command as it is.
func asItIs(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// completed are the words that a shell offers, and what it is told besides.
func completed(t *testing.T, data string, args ...string) (offered []string, directive string) {
	t.Helper()
	line := append([]string{"__complete", "--data-dir", data}, args...)
	r := asItIs(t, line...)
	if r.code != exitOK {
		t.Fatalf("%v: %d %s", line, r.code, r.stderr)
	}
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	for _, l := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(l, "\t")
		offered = append(offered, word)
	}
	return offered, lines[len(lines)-1]
}

// noFiles is cobra's directive to offer no files.
const noFiles = ":4"

func TestCompletion(t *testing.T) {
	environment(t, nil)
	data := filepath.Join(t.TempDir(), "none")
	for line, want := range map[string]string{
		"fin":                                "findings :4",
		"findings li":                        "list :4",
		"findings list sev":                  "severity= :6",
		"findings list severity=hi":          "severity=high :4",
		"findings list severity=high,c":      "severity=high,critical :4",
		"findings list service=kms state!=o": "state!=open :4",
		"findings list region=eu-west-":      "region=eu-west-1 region=eu-west-2 region=eu-west-3 :4",
		"findings list framework=cis-aws-5":  "framework=cis-aws-5.0 :4",
		"findings list check=kms-key-rota":   "check=kms-key-rotation :4",
		"findings list resource=x":           ":4", // can be anything
		"findings list nothing=x":            ":4",
		"findings list ta":                   "tags= tag: :6",
		"resources list resource_t":          "resource_type= :6",
		"checks list pil":                    "pillar= :6",
		"checks list kms-key-rot":            "kms-key-rotation :4",
		"checks show kms-key-rot":            "kms-key-rotation :4",
		"audit run --services ia":            "iam :4",
		"audit run --services s3,ia":         "s3,iam :4",
		"audit run --services iam,ia":        ":4", // which is said
		"audit run --regions eu-west-1,al":   "eu-west-1,all :4",
		"audit run --severity hi":            "high :4",
		"audit run --fail-on cr":             "critical :4",
		"audit run --checks kms-key-rot":     "kms-key-rotation :4",
		"audit run --external-id pr":         "prompt :4",
		"audit run extra":                    ":4",
		"checks list -o nd":                  "ndjson :4",
		"checks list --columns id,sever":     "id,severity :4",
		"checks list --columns +titl":        "+title :4",
		"checks list --sort=-sever":          "-severity :4",
		"policy show --services s3,ia":       "s3,iam :4",
		"policy show --format st":            "stackset :4",
		"policy show --mode re":              "read-only :4",
		"policy diff sec":                    "security-audit :0", // or a file
		"connections show ":                  ":4",
		"audit show ":                        ":4",
		"audit cancel x":                     ":4",
	} {
		offered, directive := completed(t, data, strings.Split(line, " ")...)
		if got := strings.TrimSpace(strings.Join(offered, " ") + " " + directive); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a look made a state")
	}
}

// TestEverythingIsCompleted: no command offers the files of a directory where it wants
// something else, and every word that several commands take is known.
func TestEverythingIsCompleted(t *testing.T) {
	environment(t, nil)
	data := t.TempDir()
	for name, cmd := range commands(t) {
		if strings.HasPrefix(name, "completion") || name == "help" {
			continue
		}
		args := strings.Fields(name)
		files := slices.ContainsFunc(arguments(cmd), func(a argument) bool { return strings.Contains(a.name, "FILE") })
		if _, directive := completed(t, data, append(args, "")...); (directive == ":0") != files {
			t.Errorf("%s: %s", name, directive)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" {
				return
			}
			if _, directive := completed(t, data, append(args, "--"+f.Name+"=")...); (directive == ":0") != paths[f.Name] {
				t.Errorf("%s --%s: %s", name, f.Name, directive)
			}
		})
	}
}

// completes holds the shell's offers to what a state with audits has.
func completes(t *testing.T, data, account string) {
	has := func(want string, args ...string) {
		t.Helper()
		if offered, _ := completed(t, data, args...); !slices.Contains(offered, want) {
			t.Errorf("%v: %q lack %q", args, offered, want)
		}
	}
	audit := decode[[]struct{ ID string }](t, cloudarq(t, data, "audit", "list", "-o", "json"))[0].ID
	finding := decode[[]struct{ ID string }](t, cloudarq(t, data, "findings", "list", "--limit", "1", "-o", "json"))[0].ID
	has(account, "audit", "show", "")
	has(account, "audit", "diff", "")
	has(account, "report", "html", "")
	has(account, "connections", "show", "")
	has(account, "audit", "run", "--connection", "")
	has("account="+account, "findings", "list", "account=")
	has(audit, "audit", "show", audit[:4])
	has(audit, "audit", "diff", audit, audit[:4])
	has(audit, "report", "html", account, audit[:4])
	has(finding, "findings", "show", finding[:6])
}

// TestCompletionDoesNotWait: a server that does not answer costs a shell no time.
func TestCompletionDoesNotWait(t *testing.T) {
	quiet := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-quiet }))
	defer server.Close()
	defer close(quiet)
	environment(t, map[string]string{"CLOUDARQ_SERVER": server.URL, tokenVariable: "caqt_" + strings.Repeat("a", 40)})
	began := time.Now()
	if offered, directive := completed(t, t.TempDir(), "connections", "show", ""); len(offered) > 0 || directive != noFiles {
		t.Errorf("offered %q", offered)
	}
	if took := time.Since(began); took > 10*completionTime {
		t.Errorf("it took %s", took)
	}
}
