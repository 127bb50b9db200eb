package operations

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// conversions finds where a client becomes an interface. The SDK's paginators
// and waiters take interfaces whose methods are the operations that they call:
// these are understood. Through any other interface operations could be called
// that nothing names. Conversions are mostly implicit, so they are looked for
// in the SSA form, which has an instruction for each.
func (a *analysis) conversions() {
	program := ssa.NewProgram(a.pkg.Fset, ssa.BuilderMode(0))
	created := map[*types.Package]bool{}
	var create func([]*types.Package)
	create = func(all []*types.Package) {
		for _, p := range all {
			if !created[p] {
				created[p] = true
				program.CreatePackage(p, nil, nil, true)
				create(p.Imports())
			}
		}
	}
	create(a.pkg.Types.Imports())
	built := program.CreatePackage(a.pkg.Types, a.pkg.Syntax, a.pkg.TypesInfo, false)
	built.Build()

	a.function(built.Func("init"))
	for ident, object := range a.pkg.TypesInfo.Defs {
		if fn, ok := object.(*types.Func); ok && ident.Name != "_" {
			a.function(program.FuncValue(fn))
		}
	}
}

func (a *analysis) function(fn *ssa.Function) {
	if fn == nil { // an interface's method
		return
	}
	for _, block := range fn.Blocks {
		for _, instruction := range block.Instrs {
			switch i := instruction.(type) {
			case *ssa.MakeInterface:
				a.converts(fn, i, i.X.Type())
			case *ssa.ChangeInterface:
				a.converts(fn, i, i.X.Type())
			case *ssa.TypeAssert:
				if a.hasOperations(i.AssertedType) {
					a.failf(where(fn, i), "a client is taken out of an interface; what was done with it is not understood")
				}
			}
		}
	}
	for _, inner := range fn.AnonFuncs {
		a.function(inner)
	}
}

func (a *analysis) converts(fn *ssa.Function, conversion ssa.Value, from types.Type) {
	if !a.hasOperations(from) {
		return
	}
	at := where(fn, conversion)
	named, ok := types.Unalias(conversion.Type()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !isService(named.Obj().Pkg()) && trusted[named.Obj().Pkg().Path()] == "" {
		a.failf(at, "the client %s becomes the interface %s; what is called through it is not understood", from, conversion.Type())
		return
	}
	methods := named.Underlying().(*types.Interface)
	for method := range methods.Methods() {
		id, err := operation(method)
		if err != nil || id == "" {
			a.failf(at, "the client %s becomes %s, whose %s is not of the form of an operation", from, named, method.Name())
			continue
		}
		a.calls(id, at)
	}
	if methods.NumMethods() == 0 {
		a.failf(at, "the client %s becomes %s, which names no operation", from, named)
	}
}

// where is the position of a conversion. Implicit ones have none of their own:
// that of the call they are an argument of is taken, or of their function.
func where(fn *ssa.Function, value ssa.Value) token.Pos {
	if value.Pos() != token.NoPos {
		return value.Pos()
	}
	if uses := value.Referrers(); uses != nil {
		for _, use := range *uses {
			if use.Pos() != token.NoPos {
				return use.Pos()
			}
		}
	}
	if syntax := fn.Syntax(); syntax != nil {
		return syntax.Pos()
	}
	return fn.Pos()
}
