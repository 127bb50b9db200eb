package operations

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const (
	sdk      = "github.com/aws/aws-sdk-go-v2/"
	services = sdk + "service/"
)

// trusted are the parts of the SDK, beside its clients, that the source may
// import, each with the reason why no operation of an audited account hides in
// it.
var trusted = map[string]string{
	sdk + "config":               "resolves the caller's own credentials (SSO, STS, instance metadata) with clients of its own, before an account is opened",
	sdk + "credentials/stscreds": "assumes the audit role through the STS client that it is handed; its interface names the one operation",
	sdk + "feature/ec2/imds":     "its ServiceID alone, to tell a failed look for credentials from a refusal",
}

// plain are the packages that collectors may import beside CloudArq's own and the
// clients: they compute, and reach nothing. Through any other a call could be made that
// no analysis of types would see, or a credential be carried away.
var plain = []string{
	"bytes", "cmp", "context", "encoding/base64", "encoding/csv", "encoding/json", "errors", "fmt", "iter", "maps", "math", "net/netip",
	"net/url", "path", "regexp", "slices", "sort", "strconv", "strings", "sync", "time", "unicode", "unicode/utf8",
	"golang.org/x/sync/errgroup",
	sdk + "aws", "github.com/aws/smithy-go",
	// CloudWatch's older protocol: it writes and reads requests that the SDK sends.
	"github.com/aws/smithy-go/transport/http/protocol/awsquery",
}

type analysis struct {
	root    string
	pkg     *packages.Package
	clients map[types.Type]bool // whether a type has operations among its methods
	found   *Found
	errs    []error
}

func (a *analysis) fail(err error) { a.errs = append(a.errs, err) }

func (a *analysis) failf(at token.Pos, format string, args ...any) {
	a.fail(fmt.Errorf("%s: "+format, append([]any{a.position(at)}, args...)...))
}

// name is the package's path within the module.
func (a *analysis) name() string {
	return strings.TrimPrefix(a.pkg.PkgPath, a.pkg.Module.Path+"/")
}

func (a *analysis) position(at token.Pos) string {
	p := a.pkg.Fset.Position(at)
	file, err := filepath.Rel(a.root, p.Filename)
	if err != nil {
		file = p.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(file), p.Line)
}

func (a *analysis) calls(id string, at token.Pos) {
	a.found.Called[id] = append(a.found.Called[id], Site{a.name(), a.position(at)})
}

// imports refuses the parts of the SDK that are not understood.
func (a *analysis) imports() {
	for _, file := range a.pkg.Syntax {
		for _, spec := range file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			collector := strings.HasSuffix(a.name(), "/collect") && strings.HasPrefix(a.name(), "pkg/services/")
			own := strings.HasPrefix(path, a.pkg.Module.Path+"/")
			if collector && !own && !strings.HasPrefix(path, sdk+"service/") && !slices.Contains(plain, path) {
				a.failf(spec.Pos(), "a collector imports %s; only what computes and reaches nothing may be imported, and is named in internal/operations", path)
			}
			part, isSDK := strings.CutPrefix(path, sdk)
			if !isSDK || part == "aws" || strings.HasPrefix(part, "aws/") || trusted[path] != "" {
				continue
			}
			parts := strings.Split(part, "/")
			isClient := parts[0] == "service" && (len(parts) == 2 || len(parts) == 3 && slices.Contains([]string{"types", "schemas"}, parts[2]))
			if !isClient {
				a.failf(spec.Pos(), "%s is no service client; name it in internal/operations with the reason why it calls nothing, or do without", path)
			}
		}
	}
}

// selections finds the operations that are selected from a client, or from
// anything that has them: called, or handed on as method values.
func (a *analysis) selections() {
	for expr, selection := range a.pkg.TypesInfo.Selections {
		fn, ok := selection.Obj().(*types.Func)
		if !ok {
			continue
		}
		switch id, err := operation(fn); {
		case err != nil:
			a.failf(expr.Sel.Pos(), "%w", err)
		case id != "":
			a.calls(id, expr.Sel.Pos())
		}
	}
}

// constructors refuses functions of the SDK that take a client itself and give
// something else that calls with it, such as a presigner. Those that take an
// interface (paginators, waiters) are understood by conversions.
func (a *analysis) constructors() {
	for ident, object := range a.pkg.TypesInfo.Uses {
		fn, ok := object.(*types.Func)
		if !ok || fn.Pkg() == nil || !isService(fn.Pkg()) || fn.Signature().Recv() != nil {
			continue
		}
		for v := range fn.Signature().Params().Variables() {
			if _, isInterface := v.Type().Underlying().(*types.Interface); !isInterface && a.hasOperations(v.Type()) {
				a.failf(ident.Pos(), "%s.%s takes a client; what it calls is not understood", fn.Pkg().Name(), fn.Name())
			}
		}
	}
}

// instances refuses generics over clients: within them a client is a type
// parameter, and its conversions cannot be seen.
func (a *analysis) instances() {
	for ident, instance := range a.pkg.TypesInfo.Instances {
		for t := range instance.TypeArgs.Types() {
			if a.hasOperations(t) {
				a.failf(ident.Pos(), "%s is instantiated with the client %s; what it calls is not understood", ident.Name, t)
			}
		}
	}
}

// declarations reads the Operations of the package's walks.
func (a *analysis) declarations() {
	for _, file := range a.pkg.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || !a.isWalk(literal) {
				return true
			}
			for _, element := range literal.Elts {
				field, keyed := element.(*ast.KeyValueExpr)
				if !keyed {
					a.failf(element.Pos(), "the fields of a collect.Walk need names")
				} else if name, ok := field.Key.(*ast.Ident); ok && name.Name == "Operations" {
					a.declares(field.Value)
				}
			}
			return true
		})
	}
}

func (a *analysis) isWalk(literal *ast.CompositeLit) bool {
	named, ok := types.Unalias(a.pkg.TypesInfo.TypeOf(literal)).(*types.Named)
	return ok && named.Obj().Name() == "Walk" && named.Obj().Pkg().Path() == a.pkg.Module.Path+"/pkg/aws/collect"
}

func (a *analysis) declares(list ast.Expr) {
	literal, ok := list.(*ast.CompositeLit)
	if !ok {
		a.failf(list.Pos(), "the Operations of a walk must be a literal list")
		return
	}
	for _, element := range literal.Elts {
		value := a.pkg.TypesInfo.Types[element].Value
		if value == nil || value.Kind() != constant.String {
			a.failf(element.Pos(), "an operation of a walk must be a constant")
			continue
		}
		id := constant.StringVal(value)
		a.found.Declared[id] = append(a.found.Declared[id], Site{a.name(), a.position(element.Pos())})
	}
}

// isService reports whether a package is a service's client.
func isService(p *types.Package) bool {
	own, ok := strings.CutPrefix(p.Path(), services)
	return ok && !strings.Contains(own, "/")
}

// operation is the id of the operation that a method calls; empty for a method
// that calls none. A client's method of a form that the SDK did not have when
// this was written is an error.
func operation(fn *types.Func) (string, error) {
	signature := fn.Signature()
	if signature.Recv() == nil {
		return "", nil
	}
	if input := inputOf(signature); input != nil && input.Name() == fn.Name()+"Input" {
		return serviceID(input.Pkg()) + "." + fn.Name(), nil
	}
	if isClient(signature.Recv().Type()) && fn.Name() != "Options" {
		return "", fmt.Errorf("%s is not of the form of an operation", fn.FullName())
	}
	return "", nil
}

// inputOf is the type of an operation's input: of a function of the form
// (context, *XInput, ...func(*Options)) (*XOutput, error). Otherwise nil.
func inputOf(signature *types.Signature) *types.TypeName {
	if signature.Params().Len() != 3 || !signature.Variadic() || signature.Results().Len() != 2 {
		return nil
	}
	pointer, ok := signature.Params().At(1).Type().(*types.Pointer)
	if !ok {
		return nil
	}
	named, ok := types.Unalias(pointer.Elem()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !isService(named.Obj().Pkg()) {
		return nil
	}
	return named.Obj()
}

func isClient(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Client" && named.Obj().Pkg() != nil && isService(named.Obj().Pkg())
}

// serviceID is what the SDK calls the service of a client's package.
func serviceID(p *types.Package) string {
	id, ok := p.Scope().Lookup("ServiceID").(*types.Const)
	if !ok {
		return ""
	}
	return constant.StringVal(id.Val())
}

// hasOperations reports whether operations are among a type's methods: of a
// client, of what embeds one, of an interface to one.
func (a *analysis) hasOperations(t types.Type) bool {
	if has, known := a.clients[t]; known {
		return has
	}
	has := isClient(t)
	methods := types.NewMethodSet(t)
	for i := 0; i < methods.Len() && !has; i++ {
		id, err := operation(methods.At(i).Obj().(*types.Func))
		has = id != "" || err != nil
	}
	a.clients[t] = has
	return has
}
