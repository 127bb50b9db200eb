// Package operations finds, by type-checked analysis of the source, every AWS
// operation that the collectors and awsx can call. What it cannot follow is an
// error: an operation that the analysis missed would be missing in the guard's
// table and in the customer's role, or worse, be in neither list that people
// read.
package operations

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Site is one place in the source.
type Site struct {
	Package  string // its path within the module: "pkg/services/kms/collect"
	Position string // "pkg/services/kms/collect/collect.go:36"
}

// Found is what the source can call and what it says that it calls, by
// operation: "<SDK service id>.<operation>". Sites are sorted.
type Found struct {
	Called   map[string][]Site
	Declared map[string][]Site // in the Operations of a collect.Walk
}

// IDs lists the operations that the source can call, sorted.
func (f *Found) IDs() []string { return slices.Sorted(maps.Keys(f.Called)) }

// Packages are those that may hold a client of an audited account; internal/arch
// keeps the SDK out of the others but for the drivers of CloudArq's own table,
// bucket, queues, topic and key.
func Packages() []string {
	return []string{"./pkg/services/...", "./pkg/aws/collect", "./pkg/aws/client"}
}

// Find analyses packages of the repository at root. overlay replaces the content
// of files, by their absolute paths, as packages.Config does.
func Find(root string, overlay map[string][]byte, patterns ...string) (*Found, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedModule |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: root, Fset: token.NewFileSet(), Overlay: overlay, Env: os.Environ(),
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load the source: %w", err)
	}
	a := &analysis{root: root, clients: map[types.Type]bool{}, found: &Found{Called: map[string][]Site{}, Declared: map[string][]Site{}}}
	for _, p := range loaded {
		for _, e := range p.Errors {
			a.fail(fmt.Errorf("load %s: %w", p.PkgPath, e))
		}
	}
	if err := errors.Join(a.errs...); err != nil {
		return nil, err
	}
	for _, p := range loaded {
		a.pkg = p
		a.imports()
		a.selections()
		a.constructors()
		a.instances()
		a.conversions()
		a.declarations()
	}
	slices.SortFunc(a.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if err := errors.Join(a.errs...); err != nil {
		return nil, err
	}
	tidy(a.found.Called)
	tidy(a.found.Declared)
	return a.found, nil
}

func tidy(sites map[string][]Site) {
	for id, all := range sites {
		slices.SortFunc(all, func(a, b Site) int { return strings.Compare(a.Position, b.Position) })
		sites[id] = slices.Compact(all)
	}
}

// Check holds what walks declare to what their packages call, both ways.
// elsewhere are the operations that packages without walks may call: those that
// connecting to an account takes.
func (f *Found) Check(elsewhere []string) error {
	var errs []error
	for _, id := range f.IDs() {
		for _, s := range f.Called[id] {
			switch {
			case strings.HasPrefix(s.Package, "pkg/services/"):
				if !declaredBy(f.Declared[id], s.Package) {
					errs = append(errs, fmt.Errorf("%s: %s is called, and no walk of %s declares it", s.Position, id, s.Package))
				}
			case !slices.Contains(elsewhere, id):
				errs = append(errs, fmt.Errorf("%s: %s is called, and policy.Connect does not list it", s.Position, id))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.Declared)) {
		for _, s := range f.Declared[id] {
			if !declaredBy(f.Called[id], s.Package) {
				errs = append(errs, fmt.Errorf("%s: %s is declared, and nothing in %s calls it", s.Position, id, s.Package))
			}
		}
	}
	for _, id := range elsewhere {
		if !slices.ContainsFunc(f.Called[id], func(s Site) bool { return !strings.HasPrefix(s.Package, "pkg/services/") }) {
			errs = append(errs, fmt.Errorf("policy.Connect lists %s, and nothing calls it", id))
		}
	}
	return errors.Join(errs...)
}

func declaredBy(sites []Site, pkg string) bool {
	return slices.ContainsFunc(sites, func(s Site) bool { return s.Package == pkg })
}
