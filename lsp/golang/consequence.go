package golang

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// An error that only follows from something that is not known is not told: it would be gone without
// any change of the code that it is shown in. Three things are not known: what cgo makes of package
// C, here and in packages that are imported; what a declaration will be that is being typed; and
// what a file says below its first syntax error.
//
// An error is taken to follow if the statement or the declaration around it names such a thing.
type consequences struct {
	pkg    *types.Package
	info   *types.Info
	cgo    bool
	broken bool            // some file of the package has syntax errors
	unsure map[string]bool // names of declarations being typed, of the package and of its imports
	trees  []*tree
}

// newConsequences is for the errors of one package.
func newConsequences(p *pkgMeta, pkg *types.Package, info *types.Info, trees []*tree, imports []importedFace) *consequences {
	c := &consequences{pkg: pkg, info: info, cgo: p.Cgo, unsure: map[string]bool{}, trees: trees}
	for _, t := range trees {
		c.broken = c.broken || len(t.errors) > 0
		for _, name := range t.unsure {
			c.unsure[name] = true
		}
	}
	for _, f := range imports {
		for _, name := range f.unsure {
			c.unsure[name] = true
		}
	}
	return c
}

var missingMethod = regexp.MustCompile(`missing method (\w+)`)

// has reports whether an error in a file only follows from something that is not known.
func (c *consequences) has(e types.Error, t *tree) bool {
	if len(t.errors) > 0 {
		return true
	}
	if m := missingMethod.FindStringSubmatch(e.Msg); m != nil && c.unsure[m[1]] {
		return true
	}
	ofTypes := !independentOfTypes[errorCode(e)]
	follows := false
	for _, n := range around(t.file, e.Pos) {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || follows {
				return !follows
			}
			obj := c.info.Uses[id]
			if obj == nil {
				obj = c.info.Defs[id]
			}
			switch name, isPackage := obj.(*types.PkgName); {
			case obj == nil:
				follows = c.unsure[id.Name]
			case isPackage:
				follows = name.Imported().Path() == "C"
			default:
				follows = c.isUnsure(obj) || ofTypes && c.isOpaque(obj)
			}
			return !follows
		})
	}
	return follows
}

// isUnsure reports whether the declaration of an object is being typed.
func (c *consequences) isUnsure(obj types.Object) bool {
	if !c.unsure[obj.Name()] {
		return false
	}
	if obj.Pkg() != c.pkg {
		return obj.Pkg() != nil
	}
	for _, t := range c.trees {
		base := token.Pos(t.tok.Base())
		if at := obj.Pos(); at >= base && at <= base+token.Pos(t.tok.Size()) {
			offset := t.offset(at)
			return slices.ContainsFunc(t.doubtful, func(r lsp.Span) bool { return r.Start <= offset && offset < r.End })
		}
	}
	return false
}

// isOpaque reports whether the type of an object is not known, because it comes from package C. A
// type of this package that is not known for another reason has an error of its own, which go/types
// follows up no further.
func (c *consequences) isOpaque(obj types.Object) bool {
	return isUnknown(obj.Type(), func(p *types.Package) bool { return c.cgo || p != c.pkg }, c.cgo || obj.Pkg() != c.pkg, 0)
}

// isUnknown reports whether a type, or one that it is directly made of, is not known. A field of a
// struct counts only if it is embedded: the others have a name of their own where they are used.
// From tells of a package whether its unknown types count; here does so for a type without a name.
func isUnknown(t types.Type, from func(*types.Package) bool, here bool, depth int) bool {
	if depth > 20 {
		return false // a type that is made of itself
	}
	elem := func(t types.Type) bool { return isUnknown(t, from, here, depth+1) }
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return here && t.Kind() == types.Invalid
	case *types.Named:
		if pkg := t.Obj().Pkg(); pkg != nil && from(pkg) && t.Underlying() == types.Typ[types.Invalid] {
			return true
		}
		for arg := range t.TypeArgs().Types() {
			if elem(arg) {
				return true
			}
		}
		if s, ok := t.Underlying().(*types.Struct); ok {
			return elem(s)
		}
	case *types.Struct:
		for f := range t.Fields() { // whose fields and methods are not known, either
			if f.Embedded() && elem(f.Type()) {
				return true
			}
		}
	case *types.Pointer:
		return elem(t.Elem())
	case *types.Slice:
		return elem(t.Elem())
	case *types.Array:
		return elem(t.Elem())
	case *types.Chan:
		return elem(t.Elem())
	case *types.Map:
		return elem(t.Key()) || elem(t.Elem())
	case *types.Signature:
		return elem(t.Params()) || elem(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			if elem(v.Type()) {
				return true
			}
		}
	}
	return false
}

// independentOfTypes are the kinds of errors that are found without looking at types.
var independentOfTypes = map[string]bool{
	"UndeclaredName": true, "UnusedVar": true, "UnusedImport": true, "UnusedLabel": true, "UndeclaredLabel": true, "DuplicateDecl": true,
	"DuplicateMethod": true, "BrokenImport": true, "MissingReturn": true, "MisplacedLabel": true, "JumpOverDecl": true, "JumpIntoBlock": true,
}

// around is what an error at a position is about: the innermost simple statement or specification,
// or what stands in the header of the innermost other statement.
func around(file *ast.File, pos token.Pos) []ast.Node {
	var path []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || pos > n.End() {
			return false
		}
		path = append(path, n)
		return true
	})
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *ast.BlockStmt, *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt,
			*ast.CaseClause, *ast.CommClause, *ast.LabeledStmt, *ast.FuncDecl, *ast.FuncLit, *ast.GenDecl, *ast.File:
			if i+1 < len(path) {
				return path[i+1 : i+2]
			}
			return nil
		case ast.Stmt, ast.Spec, *ast.Field:
			return []ast.Node{n}
		}
	}
	return nil
}
