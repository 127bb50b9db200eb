package version_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const variable = "github.com/cloudarq/cloudarq/internal/version.stamped"

// TestStamped builds with the flags that stamp a release, and without.
func TestStamped(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{"": "dev", "-X " + variable + "=1.2.3": "1.2.3"} {
		out, err := exec.Command("go", "run", "-ldflags", flags, "./testdata/print").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q: %s, %v; want %s", flags, out, err, want)
		}
	}
}

// TestPlaces: what a release writes says which release wrote it. What the command and the
// functions say besides is tried in internal/release.
func TestPlaces(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "run", "-ldflags", "-X "+variable+"=9.8.7-rc.1", "./testdata/places").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "audit 9.8.7-rc.1\nstatement 9.8.7-rc.1\nalert 9.8.7-rc.1\nreport 9.8.7-rc.1\n"
	if string(out) != want {
		t.Errorf("places say\n%s, want\n%s", out, want)
	}
}

// TestBuildsStamp holds what builds the command and the functions to the variable's name.
func TestBuildsStamp(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../../Makefile", "../../tools/functions.sh"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "-X "+variable+"=$") {
			t.Errorf("%s stamps no version", file)
		}
	}
}

// ofOthers are versions that the product writes and that are not its own, by file.
var ofOthers = map[string][]string{
	"pkg/services/ecs/checks.go": {"1.4.0", "1.0.0"}, // of Fargate's platform
}

// TestNoVersionIsWrittenDown: in the product's source no text is a version but of others,
// and whoever is told the version is told this package's.
func TestNoVersionIsWrittenDown(t *testing.T) {
	t.Parallel()
	semantic := regexp.MustCompile(`^(cloudarq[/ @])?v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
	root, told := filepath.Join("..", ".."), 0
	for _, dir := range []string{"cmd", "functions", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					text, err := strconv.Unquote(n.Value)
					if n.Kind == token.STRING && err == nil && semantic.MatchString(text) && !slices.Contains(ofOthers[filepath.ToSlash(name)], text) {
						t.Errorf("%s: %q is written down; internal/version has ours", files.Position(n.Pos()), text)
					}
				case *ast.KeyValueExpr:
					// The mains and the command tell packages which version they are of.
					if key, ok := n.Key.(*ast.Ident); ok && dir != "pkg" && key.Name == "Version" {
						told++
						if call, ok := n.Value.(*ast.CallExpr); !ok || !isString(call) {
							t.Errorf("%s: the version is not version.String()", files.Position(n.Pos()))
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if told < 6 {
		t.Errorf("%d packages are told the version, where six were: does this test still look?", told)
	}
}

// isString reports whether a call is version.String().
func isString(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "String" {
		return false
	}
	p, ok := s.X.(*ast.Ident)
	return ok && p.Name == "version"
}
