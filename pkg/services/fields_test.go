package services_test

import (
	"go/ast"
	"go/types"
	"maps"
	"path"
	"reflect"
	"regexp"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/cloudarq/cloudarq/pkg/services"
)

// unread are the fields that no rule reads, and what they are for.
var unread = map[string]string{
	"cloudarq.Document.Name":        "evidence tells policies apart by it",
	"iam.Credentials.Reported":      "evidence says by it how old AWS's report was",
	"iam.RootUsage.Reported":        "evidence says by it how old AWS's report was",
	"iam.OIDCProviderDetail.Issuer": "the listing tells nothing else, and evidence wants something",
	"rds.Subscription.Name":         "evidence tells subscriptions apart by it",
	"tagging.TaggedResource.Tags":   "pkg/results/tags joins them to the resources of other services",
}

// Every field of every resource type, with all that is inside of its facts, is read by
// a rule, or is named above: what is collected for nobody costs calls, and room in every
// snapshot, and looks as if it were judged.
func TestEveryFieldIsRead(t *testing.T) {
	t.Parallel()
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
	}, "./...", "../judge/...")
	if err != nil {
		t.Fatal(err)
	}
	scopes, read := map[string]*types.Scope{}, map[*types.Var]bool{}
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Error(e)
		}
		if path.Base(p.PkgPath) == "collect" {
			continue
		}
		scopes[p.PkgPath] = p.Types.Scope()
		for _, file := range p.Syntax {
			markRead(p.TypesInfo, file, read)
		}
	}
	fields := map[*types.Var]string{}
	for _, s := range services.All() {
		for _, kind := range s.Kinds {
			resource := reflect.TypeOf(kind.Zero)
			addFields(scopes[resource.PkgPath()].Lookup(resource.Name()).Type(), fields, map[types.Type]bool{})
		}
	}
	left := maps.Clone(unread)
	for field, name := range fields {
		switch why := unread[name]; {
		case read[field] && why != "":
			t.Errorf("%s is read, and stands among those that are not", name)
		case !read[field] && why == "":
			t.Errorf("no rule reads %s", name)
		}
		delete(left, name)
	}
	for name := range left {
		t.Errorf("%s is no field", name)
	}
}

// judged are the packages whose structs hold facts; pkg/model has what every resource has.
var judged = regexp.MustCompile(`/pkg/(services|judge)/`)

// addFields adds the exported fields of all structs that a value of the type may hold, by
// "service.Type.Field".
func addFields(t types.Type, fields map[*types.Var]string, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Pointer:
		addFields(t.Elem(), fields, seen)
	case *types.Slice:
		addFields(t.Elem(), fields, seen)
	case *types.Map:
		addFields(t.Key(), fields, seen)
		addFields(t.Elem(), fields, seen)
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			addFields(arg, fields, seen)
		}
		of, ok := t.Underlying().(*types.Struct)
		if !ok || !judged.MatchString(t.Obj().Pkg().Path()) {
			return
		}
		for field := range of.Fields() {
			if !field.Exported() {
				continue
			}
			if !field.Embedded() {
				fields[field] = path.Base(t.Obj().Pkg().Path()) + "." + t.Obj().Name() + "." + field.Name()
			}
			addFields(field.Type(), fields, seen)
		}
	}
}

// markRead marks the fields that a file reads: what it selects and does not assign to, and
// all of a struct that is compared or becomes another type.
func markRead(info *types.Info, file *ast.File, read map[*types.Var]bool) {
	assigned := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				assigned[left] = true
			}
		case *ast.BinaryExpr:
			markAll(info.TypeOf(n.X), read)
		case *ast.CallExpr:
			if to := info.Types[n.Fun]; to.IsType() {
				markAll(to.Type, read)
				markAll(info.TypeOf(n.Args[0]), read)
			}
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil && s.Kind() == types.FieldVal && !assigned[n] {
				read[s.Obj().(*types.Var).Origin()] = true
			}
		}
		return true
	})
}

func markAll(t types.Type, read map[*types.Var]bool) {
	if of, ok := t.Underlying().(*types.Struct); ok {
		for field := range of.Fields() {
			read[field.Origin()] = true
		}
	}
}
