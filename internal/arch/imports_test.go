// Package arch holds the project to its own structure: who may import whom, what
// every service has, and how large the programs may become.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/cloudarq/cloudarq/"

// root is the repository, seen from this folder.
var root = filepath.Join("..", "..")

type goPackage struct {
	ImportPath  string
	Dir         string
	Imports     []string
	Deps        []string
	TestGoFiles []string
}

// name is the path within the module.
func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

var packages = sync.OnceValues(func() ([]goPackage, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps,TestGoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func list(t *testing.T) []goPackage {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func isCollector(name string) bool {
	return strings.HasPrefix(name, "pkg/services/") && strings.HasSuffix(name, "/collect")
}

// isService reports whether a package is what is known of a service without
// calling it.
func isService(name string) bool {
	parts := strings.Split(name, "/")
	return len(parts) == 3 && parts[0] == "pkg" && parts[1] == "services" && !slices.Contains([]string{"collectors", "checktest", "policytest"}, parts[2])
}

// floors are the folders of pkg, from the ground up: each imports only itself and
// what stands below it. docs/architecture.md says what each is for.
var floors = []string{"model", "judge", "platform", "policy", "store", "aws", "services", "audit", "access", "results", "api", "console", "lambdax", "local"}

// TestFloors holds every package of pkg to what stands below it.
func TestFloors(t *testing.T) {
	t.Parallel()
	floor := func(name string) int {
		return slices.Index(floors, strings.Split(name, "/")[1])
	}
	seen := map[int]bool{}
	for _, p := range list(t) {
		if !strings.HasPrefix(p.name(), "pkg/") {
			continue
		}
		own := floor(p.name())
		if own < 0 {
			t.Errorf("%s stands on no floor", p.name())
		}
		seen[own] = true
		for _, i := range p.Imports {
			if below, ours := strings.CutPrefix(i, module); ours && strings.HasPrefix(below, "pkg/") && floor(below) > own {
				t.Errorf("%s imports %s, which stands above it", p.name(), below)
			}
		}
	}
	if len(seen) != len(floors) {
		t.Errorf("%d floors are used, of %d", len(seen), len(floors))
	}
}

// TestRooms holds packages to less than their floor allows.
func TestRooms(t *testing.T) {
	t.Parallel()
	for room, allowed := range map[string][]string{
		"pkg/model":              {},
		"pkg/judge/fact":         {},
		"pkg/judge/iampolicy":    {},
		"pkg/judge/internet":     {},
		"pkg/judge/secretscan":   {},
		"pkg/judge/framework":    {},
		"pkg/judge/check":        {"pkg/judge/fact", "pkg/judge/framework", "pkg/model"},
		"pkg/platform/table":     {},
		"pkg/platform/blob":      {},
		"pkg/platform/queue":     {},
		"pkg/platform/notify":    {},
		"pkg/platform/bus":       {},
		"pkg/platform/secret":    {},
		"pkg/platform/metrics":   {},
		"pkg/platform/answer":    {},
		"pkg/platform/lockfile":  {},
		"pkg/policy":             {"pkg/model"},
		"pkg/policy/grant":       {"pkg/judge/check", "pkg/judge/iampolicy", "pkg/model", "pkg/policy"},
		"pkg/store":              {"pkg/model", "pkg/platform/table"},
		"pkg/aws/ledger":         {},
		"pkg/aws/collect":        {"pkg/aws/ledger", "pkg/judge/check", "pkg/judge/fact", "pkg/judge/iampolicy", "pkg/judge/secretscan", "pkg/model", "pkg/policy"},
		"pkg/audit/schedule":     {"pkg/model"},
		"pkg/audit/score":        {"pkg/model"},
		"pkg/audit/evidence":     {"pkg/judge/check", "pkg/judge/fact", "pkg/model"},
		"pkg/audit/diff":         {"pkg/audit/evidence", "pkg/judge/check", "pkg/judge/fact", "pkg/model"},
		"pkg/audit/statement":    {"pkg/model"},
		"pkg/audit/drift":        {"pkg/judge/check", "pkg/judge/fact", "pkg/model", "pkg/policy"},
		"pkg/audit/alert":        {"pkg/audit/diff", "pkg/audit/drift", "pkg/judge/check", "pkg/model", "pkg/platform/notify"},
		"pkg/audit/event":        {"pkg/audit/alert", "pkg/model", "pkg/platform/bus"},
		"pkg/results/filter":     {"pkg/judge/check"},
		"pkg/audit/requirement":  {"pkg/judge/check", "pkg/model"},
		"pkg/results/compliance": {"pkg/audit/requirement", "pkg/judge/check", "pkg/model", "pkg/results/index", "pkg/results/shape"},
		"pkg/console":            {"pkg/console/pages"},
		"pkg/console/pages":      {"internal/version", "pkg/access/people", "pkg/access/sso", "pkg/api", "pkg/model", "pkg/platform/answer"}, // and no records: pages ask the API
	} {
		found := false
		for _, p := range list(t) {
			if p.name() != room {
				continue
			}
			found = true
			for _, i := range p.Imports {
				if own, ours := strings.CutPrefix(i, module); ours && !slices.Contains(allowed, own) {
					t.Errorf("%s imports %s; it may import %v", room, own, allowed)
				}
			}
		}
		if !found {
			t.Errorf("there is no %s", room)
		}
	}
}

// TestServicesKeepApart holds a service to its own types and to no SDK.
func TestServicesKeepApart(t *testing.T) {
	t.Parallel()
	shared := []string{"pkg/judge/check", "pkg/judge/check/balancerrule", "pkg/judge/check/policyrule", "pkg/judge/fact", "pkg/judge/iampolicy", "pkg/judge/internet", "pkg/model", "pkg/policy", "pkg/policy/grant"}
	for _, p := range list(t) {
		if !isService(p.name()) {
			continue
		}
		for _, i := range p.Imports {
			own, ours := strings.CutPrefix(i, module)
			acrossServices := p.name() == "pkg/services/across" && isService(own)
			if ours && !slices.Contains(shared, own) && !acrossServices {
				t.Errorf("%s imports %s; services know no other service", p.name(), own)
			}
		}
	}
}

// TestSDKStaysAtTheEdge keeps the AWS SDK out of everything that judges,
// stores or reports, and Lambda out of everything but its adapters. The mains
// and the wiring that they share build clients and choose drivers; what tests run is
// no part of that.
func TestSDKStaysAtTheEdge(t *testing.T) {
	t.Parallel()
	edge := []string{
		"pkg/api/client", "pkg/aws/client", "pkg/aws/fake", "pkg/aws/wire", "pkg/access/bootstrap", "pkg/access/operator", "pkg/aws/collect", "pkg/aws/collect/collecttest", "pkg/services/collectors",
		"pkg/platform/table/dynamo", "pkg/platform/blob/s3", "pkg/platform/queue/sqs", "pkg/platform/notify/sns", "pkg/platform/bus/eventbridge", "pkg/platform/secret/kms", "test/emulator/emulatortest", "bench/synthetic",
	}
	isMain := func(name string) bool { return strings.HasPrefix(name, "functions/") }
	lambda := "github.com/aws/aws-lambda-go/"
	core := "github.com/aws/aws-sdk-go-v2/aws" // aws.Config alone, which accounts are handed round as
	handsRound := []string{"pkg/audit/pipeline", "bench/rig", "bench/scale"}
	for _, p := range list(t) {
		if slices.ContainsFunc(p.Imports, func(i string) bool { return strings.HasPrefix(i, "github.com/caarlos0/env/") }) && !isMain(p.name()) {
			t.Errorf("%s reads settings from the environment", p.name())
		}
		if isCollector(p.name()) || slices.Contains(edge, p.name()) || strings.HasPrefix(p.name(), "test/") || isMain(p.name()) {
			continue
		}
		for _, i := range p.Imports {
			if p.name() == "pkg/lambdax" && strings.HasPrefix(i, lambda) {
				continue
			}
			if strings.HasPrefix(i, "github.com/aws/") && (i != core || !slices.Contains(handsRound, p.name())) {
				t.Errorf("%s imports %s", p.name(), i)
			}
		}
	}
}

// TestOnlyTheCommandBootstraps keeps what writes to an account, and what operators mend
// a deployment with, out of everything but the command: no function links either, nor
// the client that accounts are written with, and configurations that nothing guards are
// made for these, to sign requests to CloudArq's own API, and for CloudArq's own
// resources. The smoke test, which is no part of the product, makes and deletes what an
// operator would.
func TestOnlyTheCommandBootstraps(t *testing.T) {
	t.Parallel()
	const bootstrap, client = module + "pkg/access/bootstrap", "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	const operator, smoke = module + "pkg/access/operator", "test/smoke"
	functions, commands := 0, 0
	for _, p := range list(t) {
		if strings.HasPrefix(p.name(), "functions/") {
			functions++
			for _, dep := range p.Deps {
				if dep == bootstrap || dep == operator || dep == client || strings.HasPrefix(dep, client+"/") {
					t.Errorf("%s links %s", p.name(), dep)
				}
			}
		}
		if slices.Contains(p.Imports, operator) && p.name() != "cmd/cloudarq" && p.name() != smoke {
			t.Errorf("%s imports pkg/access/operator", p.name())
		}
		if slices.Contains(p.Imports, bootstrap) {
			commands++
			if p.name() != "cmd/cloudarq" {
				t.Errorf("%s imports pkg/access/bootstrap", p.name())
			}
		}
		if slices.Contains(p.Imports, client) && p.ImportPath != bootstrap && p.name() != smoke {
			t.Errorf("%s imports the client of CloudFormation", p.name())
		}
		if slices.Contains([]string{"pkg/aws/client", "pkg/api/client", "pkg/access/bootstrap", "pkg/access/operator"}, p.name()) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("grep", append([]string{"-nE", `\.Unguarded\(`}, files...)...).CombinedOutput(); err == nil {
			t.Errorf("credentials that nothing guards:\n%s", out)
		}
	}
	if functions < 5 || commands != 1 {
		t.Errorf("looked at %d functions, with their wiring, and %d commands", functions, commands)
	}
}

// TestDriversInMemoryAreNotTheProducts keeps them to benches and tests: what they hold
// is lost when the process ends.
func TestDriversInMemoryAreNotTheProducts(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module+"internal/mem") && !strings.HasPrefix(p.name(), "bench/") {
				t.Errorf("%s imports %s", p.name(), i)
			}
		}
	}
}

// TestTheConsoleCanBeLeftOut: pages are put over the API where that is wired, and nowhere
// else, and the build tag noconsole leaves them out of what serves it.
func TestTheConsoleCanBeLeftOut(t *testing.T) {
	t.Parallel()
	const console = module + "pkg/console"
	var wires []string
	for _, p := range list(t) {
		if slices.Contains(p.Imports, console) {
			wires = append(wires, p.name())
		}
		if slices.Contains(p.Imports, console+"/pages") && p.ImportPath != console {
			t.Errorf("%s imports the pages themselves", p.name())
		}
	}
	if !slices.Equal(wires, []string{"functions/api", "pkg/local/serve"}) {
		t.Errorf("pages are put over the API in %v", wires)
	}
	for tags, want := range map[string]bool{"": true, "noconsole": false} {
		for _, program := range wires {
			cmd := exec.Command("go", "list", "-deps", "-tags", tags, "./"+program)
			cmd.Dir = root
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if linked := strings.Contains(string(out), console+"/pages\n"); linked != want {
				t.Errorf("%s with the tags %q links the pages: %t", program, tags, linked)
			}
		}
	}
}

// TestNoInit keeps registries literal: nothing happens because a package was
// imported.
func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		out, err := exec.Command("grep", "-rnE", "--include=*.go", `^func init\(\)`, p.Dir).CombinedOutput()
		if err == nil {
			t.Errorf("an init function:\n%s", out)
		}
	}
}

// TestOneKindIsSealed keeps to one the kinds of records that KMS, or the keyring, wraps:
// data keys, which are made in one room and stored by store.PutDataKey. Whoever seals
// everything by another key looks at these alone.
func TestOneKindIsSealed(t *testing.T) {
	t.Parallel()
	makers := []string{"pkg/platform/secret", "pkg/platform/secret/kms", "pkg/platform/secret/keyring", "pkg/access/datakey", "pkg/access/connect", "pkg/local"} // which hands it on
	found := 0
	for _, p := range list(t) {
		if !strings.HasPrefix(p.name(), "pkg/") && !strings.HasPrefix(p.name(), "functions/") && !strings.HasPrefix(p.name(), "cmd/") || slices.Contains([]string{"pkg/platform/secret/secrettest"}, p.name()) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
		if len(files) == 0 {
			continue
		}
		out, err := exec.Command("grep", append([]string{"-nE", `\.(Generate|GenerateDataKey|Encrypt)\(ctx`}, files...)...).CombinedOutput()
		if err != nil {
			continue // there is none
		}
		found++
		if !slices.Contains(makers, p.name()) {
			t.Errorf("%s wraps a key, and operator reseal does not know of it:\n%s", p.name(), out)
		}
	}
	if found < len(makers)-1 {
		t.Errorf("keys are wrapped in %d packages", found)
	}
}
