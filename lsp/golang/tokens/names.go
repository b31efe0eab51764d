package tokens

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A name is an identifier, or a part of a literal that is more than that.
type name struct {
	start     int // of the identifier or the literal
	from, to  int // of the part
	kind      uint8
	modifiers uint32
	known     bool
}

// A walker finds out what the names of a file are.
type walker struct {
	tree  *syntax.Tree
	view  *check.View // nil: nothing is known of types
	stack []ast.Node
	out   []name
}

// namesOf lists the names in the declarations that touch a span, in order.
func namesOf(t *syntax.Tree, v *check.View, within lsp.Span) []name {
	w := &walker{tree: t, view: v}
	for _, d := range t.AST.Decls {
		if s := t.Span(d.Pos(), d.End()); s.Start < within.End && s.End > within.Start {
			ast.Inspect(d, w.visit)
		}
	}
	slices.SortStableFunc(w.out, func(a, b name) int { return cmp.Or(a.start-b.start, a.from-b.from) })
	return w.out
}

func (w *walker) visit(n ast.Node) bool {
	if n == nil {
		w.stack = w.stack[:len(w.stack)-1]
		return true
	}
	switch n := n.(type) {
	case *ast.CommentGroup:
		return false
	case *ast.Ident:
		if kind, modifiers, ok := w.ident(n); ok {
			s := w.tree.Span(n.Pos(), n.End())
			w.out = append(w.out, name{start: s.Start, from: s.Start, to: s.End, kind: kind, modifiers: modifiers, known: true})
		}
	case *ast.ImportSpec:
		w.importSpec(n)
		return false
	case *ast.BasicLit:
		if n.Kind == token.STRING && w.view != nil {
			w.formatString(n)
		}
	}
	w.stack = append(w.stack, n)
	return true
}

// parent is a node around the one that is visited: 0 is the nearest. It is nil beyond the
// declaration.
func (w *walker) parent(i int) ast.Node {
	if i = len(w.stack) - 1 - i; i >= 0 {
		return w.stack[i]
	}
	return nil
}

// importSpec marks the name that an import is used by: its own, or where the path has it.
func (w *walker) importSpec(spec *ast.ImportSpec) {
	if spec.Name != nil {
		if s := w.tree.Span(spec.Name.Pos(), spec.Name.End()); spec.Name.Name != "_" && spec.Name.Name != "." {
			w.out = append(w.out, name{start: s.Start, from: s.Start, to: s.End, kind: namespace, known: true})
		}
		return
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	called := path[strings.LastIndexByte(path, '/')+1:]
	if w.view != nil {
		obj := w.view.Info.PkgNameOf(spec)
		if obj == nil {
			return
		}
		called = obj.Imported().Name()
	}
	start := w.tree.Offset(spec.Path.Pos())
	if i := strings.LastIndex(spec.Path.Value, called); called != "" && i >= 0 {
		w.out = append(w.out, name{start: start, from: start + i, to: start + i + len(called), kind: namespace, known: true})
	}
}

// ident is what an identifier is.
func (w *walker) ident(id *ast.Ident) (kind uint8, modifiers uint32, ok bool) {
	if w.view == nil {
		return w.guess(id)
	}
	if obj := w.view.Info.Defs[id]; obj != nil {
		kind, modifiers = ofObject(obj)
		modifiers |= definition
	} else if obj := w.view.Info.Uses[id]; obj != nil {
		kind, modifiers = ofObject(obj)
	} else if kind, modifiers, ok = w.guess(id); !ok {
		return 0, 0, false
	}
	if w.shadows(id) {
		modifiers |= shadowing
	}
	return kind, modifiers, true
}

// ofObject is what an object is.
func ofObject(obj types.Object) (kind uint8, modifiers uint32) {
	if obj.Pkg() == nil {
		modifiers |= defaultLibrary
	}
	modifiers |= ofType(obj.Type())
	switch obj := obj.(type) {
	case *types.PkgName:
		return namespace, modifiers
	case *types.Builtin:
		return function, modifiers
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return method, modifiers
		}
		return function, modifiers
	case *types.TypeName:
		if _, ok := types.Unalias(obj.Type()).(*types.TypeParam); ok {
			return typeParameter, modifiers
		}
		return typeName, modifiers
	case *types.Const, *types.Nil:
		return variable, modifiers | readonly
	case *types.Label:
		return label, modifiers
	case *types.Var:
		switch obj.Kind() {
		case types.PackageVar:
			return variable, modifiers | static
		case types.RecvVar, types.ParamVar:
			return parameter, modifiers
		case types.FieldVar:
			return property, modifiers
		}
	}
	return variable, modifiers
}

// ofType says what a type is made of.
func ofType(t types.Type) uint32 {
	if t == nil {
		return 0
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return 0
	}
	switch t := t.Underlying().(type) {
	case *types.Interface:
		return interfaceType
	case *types.Struct:
		return structType
	case *types.Signature:
		return signature
	case *types.Pointer:
		return pointer
	case *types.Array:
		return array
	case *types.Map:
		return mapType
	case *types.Slice:
		return slice
	case *types.Chan:
		return channel
	case *types.Basic:
		switch {
		case t.Kind() == types.UnsafePointer:
			return pointer
		case t.Info()&types.IsString != 0 && t.Kind() == types.String:
			return stringType
		case t.Kind() == types.Bool:
			return boolean
		case t.Info()&types.IsNumeric != 0:
			return numeric
		}
	}
	return 0
}

// shadows reports whether an identifier declares what hides another declaration.
func (w *walker) shadows(id *ast.Ident) bool {
	obj, declares := w.view.Info.Defs[id]
	if obj == nil {
		if !declares {
			return false
		}
		for i := 0; ; i++ { // the variable of a type switch
			switch n := w.parent(i).(type) {
			case nil, *ast.FuncLit, *ast.FuncDecl:
				return false
			case *ast.TypeSwitchStmt:
				scope := w.view.Info.Scopes[n]
				if scope == nil {
					return false
				}
				_, hidden := scope.LookupParent(id.Name, scope.Pos()+id.Pos()-n.Pos())
				return hidden != nil
			}
		}
	}
	if obj.Parent() == nil || obj.Parent().Parent() == nil {
		return false
	}
	if _, hidden := obj.Parent().Parent().LookupParent(id.Name, obj.Pos()); hidden == nil {
		return false
	}
	for i := 0; w.parent(i) != nil; i++ {
		if _, ok := w.parent(i).(*ast.FuncType); !ok {
			continue
		}
		switch w.parent(i + 1).(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return true
		}
		return false // a parameter of a type of functions hides nothing from anybody
	}
	return true
}

// guess is what the syntax around an identifier makes of it.
func (w *walker) guess(id *ast.Ident) (kind uint8, modifiers uint32, ok bool) {
	is := func(kind uint8) (uint8, uint32, bool) { return kind, 0, true }
	if w.view == nil {
		switch obj := types.Universe.Lookup(id.Name).(type) {
		case *types.TypeName, *types.Const, *types.Nil, *types.Builtin:
			if sel, ok := w.parent(0).(*ast.SelectorExpr); !ok || sel.Sel != id {
				kind, modifiers := ofObject(obj)
				return kind, modifiers, true
			}
		}
	}
	switch parent := w.parent(0).(type) {
	case *ast.Ellipsis, *ast.MapType:
		return is(typeName)
	case *ast.CaseClause:
		if _, ok := w.parent(2).(*ast.TypeSwitchStmt); ok {
			return is(typeName)
		}
	case *ast.ArrayType:
		if parent.Elt == id {
			return is(typeName)
		}
	case *ast.CallExpr:
		if parent.Fun == id {
			return is(function)
		}
	case *ast.TypeAssertExpr:
		if parent.Type == id {
			return is(typeName)
		}
	case *ast.ValueSpec:
		if slices.Contains(parent.Names, id) {
			return variable, definition, true
		}
		if parent.Type == id {
			return is(typeName)
		}
	case *ast.SelectorExpr:
		if call, ok := w.parent(1).(*ast.CallExpr); ok && call.Fun == parent && parent.Sel == id {
			return is(function)
		}
	case *ast.AssignStmt:
		if parent.Tok == token.DEFINE && slices.Contains(parent.Lhs, ast.Expr(id)) {
			return variable, definition, true
		}
	case *ast.TypeSpec:
		if parent.Name == id {
			return typeName, definition, true
		}
		return is(typeName)
	case *ast.Field:
		if parent.Type == id {
			return is(typeName)
		}
		return w.field(parent)
	case *ast.LabeledStmt:
		if parent.Label == id {
			return label, definition, true
		}
	case *ast.BranchStmt:
		return is(label)
	case *ast.CompositeLit:
		if parent.Type == id {
			return is(typeName)
		}
	case *ast.RangeStmt:
		if parent.Tok == token.DEFINE && (parent.Key == id || parent.Value == id) {
			return variable, definition, true
		}
	case *ast.FuncDecl:
		if parent.Recv != nil {
			return method, definition, true
		}
		return function, definition, true
	case *ast.StarExpr:
		if f, ok := w.parent(1).(*ast.Field); ok && f.Type == parent {
			return is(typeName)
		}
	}
	return is(variable)
}

// field is what the names of a field are.
func (w *walker) field(*ast.Field) (kind uint8, modifiers uint32, ok bool) {
	switch owner := w.parent(2).(type) {
	case *ast.InterfaceType:
		return method, definition, true
	case *ast.StructType:
		return property, definition, true
	case *ast.FuncDecl:
		return parameter, definition, true
	case *ast.FuncType:
		if owner.TypeParams != nil && w.parent(1) == owner.TypeParams {
			return typeParameter, definition, true
		}
		if owner.Results != nil && w.parent(1) == owner.Results {
			return variable, definition, true
		}
		return parameter, definition, true
	case *ast.TypeSpec:
		return typeParameter, definition, true
	}
	return variable, definition, true
}
