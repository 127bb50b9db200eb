package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fuller are the functions by which a test does more in make e2e than in make test.
var fuller = []string{"sample", "everyGrant", "newDrill"}

// TestEndToEndOnce holds .ci/run to all tests that do more in make e2e than in make test,
// which has run all others by then.
func TestEndToEndOnce(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`make e2e RUN='\^\(([A-Za-z|]+)\)\$'`).FindSubmatch(script)
	if found == nil {
		t.Fatal(".ci/run does not say which tests make e2e has to run")
	}
	named, want := strings.Split(string(found[1]), "|"), []string{}
	for _, pattern := range []string{"cmd/*/*_test.go", "test/*/*_test.go"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			want = append(want, fullerTests(t, file)...)
		}
	}
	slices.Sort(named)
	slices.Sort(want)
	if !slices.Equal(named, want) || len(want) < 5 {
		t.Errorf(".ci/run has make e2e run %v, want %v", named, want)
	}
}

// fullerTests are the tests of a file that do more in make e2e.
func fullerTests(t *testing.T, file string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		is := false
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := call.Fun.(*ast.Ident)
			// sample(t) of the command's tests is another one.
			is = is || ok && slices.Contains(fuller, name.Name) && (name.Name != "sample" || len(call.Args) == 0)
			return true
		})
		if is {
			names = append(names, f.Name.Name)
		}
	}
	return names
}
