package check

import (
	"go/ast"
	"go/types"
	"strings"
)

// A type that another one defines, as
//
//	type B a.A
//
// has the fields and methods of that one, and they are named there (objectPaths). But what B is
// made of is all that the checker keeps of the declaration. So an importer of B that does not
// import package a would know fields without a name. And export data gives every interface type
// methods of its own, which are no others' any more.
//
// A variable in the export data says what B is defined by. No code can name the variable, for its
// name is no identifier ([IsWritten]). The name begins as that of B, so that the variable is
// exported where B is.

// definedBy stands behind the name of a type in the name of its variable.
const definedBy = " defined by"

// IsWritten reports whether code can name an object that is found in a scope.
func IsWritten(obj types.Object) bool { return !strings.HasSuffix(obj.Name(), definedBy) }

// keepDefiners declares the variables for a package that was checked from files, in this order.
// Generic types are passed over: the fields of an instance are copies.
func keepDefiners(pkg *types.Package, files []*ast.File) {
	scope := pkg.Scope()
	if scope.NumChildren() != len(files) {
		return // of which file a scope is, is not known
	}
	for i, file := range files {
		for _, decl := range file.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				spec, ok := spec.(*ast.TypeSpec)
				if !ok || spec.Assign.IsValid() || spec.TypeParams != nil {
					continue
				}
				by := namedType(scope.Child(i), spec.Type)
				if by == nil || by.Name() == spec.Name.Name && by.Pkg() == pkg || !sharesParts(pkg, by) {
					continue
				}
				name := spec.Name.Name + definedBy
				scope.Insert(types.NewVar(by.Pos(), pkg, name, by.Type()))
			}
		}
	}
}

// namedType is the type that an expression outside of bodies names, nil if it names none, or one
// that is generic.
func namedType(file *types.Scope, e ast.Expr) *types.TypeName {
	var obj types.Object
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if obj = file.Lookup(e.Name); obj == nil { // of a dot import, else of the package
			obj = file.Parent().Lookup(e.Name)
		}
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if !ok {
			return nil
		}
		of, ok := file.Lookup(x.Name).(*types.PkgName)
		if !ok {
			return nil
		}
		obj = of.Imported().Scope().Lookup(e.Sel.Name)
	}
	name, ok := obj.(*types.TypeName)
	if !ok {
		return nil
	}
	t, ok := name.Type().(interface{ TypeParams() *types.TypeParamList })
	if ok && t.TypeParams().Len() > 0 {
		return nil
	}
	return name
}

// sharesParts reports whether a type of a package that is defined by another one has parts of that
// one which would be without a name in its export data.
func sharesParts(pkg *types.Package, by *types.TypeName) bool {
	switch by.Type().Underlying().(type) {
	case *types.Struct:
		return by.Pkg() != pkg
	case *types.Interface:
		return by.Pkg() != nil
	}
	return false
}

// packageOf is the package that an object is declared in. Export data has one interface for all
// types that share it, and may say of its methods that they belong to the package of another type.
func packageOf(obj types.Object) *types.Package {
	if m, ok := obj.(*types.Func); ok {
		if of := interfaceOf(m); of != nil {
			return of.Obj().Pkg()
		}
	}
	return obj.Pkg()
}

// interfaceOf is the declared interface type that a method belongs to, nil if it belongs to none.
func interfaceOf(m *types.Func) *types.Named {
	recv := m.Signature().Recv()
	if recv == nil {
		return nil
	}
	of, ok := recv.Type().(*types.Named)
	if !ok || !types.IsInterface(of) {
		return nil
	}
	return of
}

// declared is the method that a method of an interface type in export data is declared as, by the
// type that defines its own one; else the object itself.
func declared(obj types.Object) types.Object {
	m, ok := obj.(*types.Func)
	if !ok {
		return obj
	}
	for range maxDefiners {
		by := definerMethod(m)
		if by == nil || by == m {
			break
		}
		m = by
	}
	return m
}

// maxDefiners bounds how far declared goes: a type may be defined by one that is defined by
// another, and damaged export data may go in circles.
const maxDefiners = 100

// definerMethod is the method of the same name of the type that defines the one which an interface
// method belongs to; nil if there is none.
func definerMethod(m *types.Func) *types.Func {
	of := interfaceOf(m)
	if of == nil || of.Obj().Pkg() == nil {
		return nil
	}
	v := of.Obj().Pkg().Scope().Lookup(of.Obj().Name() + definedBy)
	if v == nil {
		return nil
	}
	by, ok := v.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	for i := range by.NumExplicitMethods() {
		if other := by.ExplicitMethod(i); other.Id() == m.Id() {
			return other
		}
	}
	return nil
}
